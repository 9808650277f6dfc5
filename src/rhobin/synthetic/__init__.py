"""People and objects in rooms, written as a BEHAVE tree.

From the bottom up, each importing only from those named before it:

- `paint`: colours of people, objects and surfaces, by position; `light`: lamps, shadows, and the curve from
  radiance to pixels.
- `places`: rooms, their furniture and lamps, and the cameras around them; `people`: bodies and their limbs.
- `interactions`: bodies that touch objects; `render`: pictures and masks of everything that can be seen.
- `scene` and `plan`; then `sequence`, `dressed` and `reference`; then `worker`; then `build`, the way in.
"""
