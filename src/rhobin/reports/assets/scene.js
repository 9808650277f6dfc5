"use strict";
(() => {
  const holder = document.getElementById("scene-data");
  if (!holder) return;
  const data = JSON.parse(holder.textContent);
  const canvas = document.getElementById("scene-canvas");
  const context = canvas.getContext("2d");
  const HOME = { yaw: 0.0, pitch: 0.0, zoom: 1.0 };
  const view = { ...HOME };
  const state = { index: 0, mode: "both" };
  const cache = new Map();
  let pending = 0, settle = 0;

  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const faceSets = data.faces.map((text) => new Uint32Array(bytes(text).buffer));

  function normalsOf(verts, faces) {
    const n = new Float32Array(verts.length);
    for (let f = 0; f < faces.length; f += 3) {
      const a = 3 * faces[f], b = 3 * faces[f + 1], c = 3 * faces[f + 2];
      const ux = verts[b] - verts[a], uy = verts[b + 1] - verts[a + 1], uz = verts[b + 2] - verts[a + 2];
      const vx = verts[c] - verts[a], vy = verts[c + 1] - verts[a + 1], vz = verts[c + 2] - verts[a + 2];
      const x = uy * vz - uz * vy, y = uz * vx - ux * vz, z = ux * vy - uy * vx;
      for (const k of [a, b, c]) { n[k] += x; n[k + 1] += y; n[k + 2] += z; }
    }
    for (let k = 0; k < n.length; k += 3) {
      const s = 1 / (Math.hypot(n[k], n[k + 1], n[k + 2]) || 1);
      n[k] *= s; n[k + 1] *= s; n[k + 2] *= s;
    }
    return n;
  }

  function heat(t) {
    const stops = data.heat, at = Math.min(Math.max(t, 0), 0.9999) * (stops.length - 1);
    const i = Math.floor(at), f = at - i;
    return stops[i].map((v, k) => v + f * (stops[i + 1][k] - v));
  }

  function loadMesh(entry) {
    const raw = new Uint16Array(bytes(entry.verts).buffer);
    const verts = new Float32Array(raw.length);
    for (let k = 0; k < raw.length; k++) verts[k] = entry.low[k % 3] + raw[k] * entry.step;
    const faces = faceSets[entry.faces];
    const mesh = { verts, faces, normals: normalsOf(verts, faces), color: entry.color, kind: entry.kind };
    if (entry.error) {
      const levels = bytes(entry.error);
      mesh.heat = new Float32Array(verts.length);
      levels.forEach((level, v) => mesh.heat.set(heat(level / 255), 3 * v));
    }
    return mesh;
  }

  function loadCase(index) {
    if (!cache.has(index)) cache.set(index, data.cases[index].meshes.map(loadMesh));
    return cache.get(index);
  }

  function rotation() {
    const cy = Math.cos(view.yaw), sy = Math.sin(view.yaw), cp = Math.cos(view.pitch), sp = Math.sin(view.pitch);
    return [cy, 0, -sy, sp * sy, cp, sp * cy, cp * sy, -sp, cp * cy];
  }

  function project(mesh, R, centre, radius, w, h) {
    const count = mesh.verts.length / 3, out = new Float32Array(4 * count);
    const distance = 4.2 * radius, focal = view.zoom * 0.46 * Math.min(w, h) * distance / radius;
    const key = [-0.42, -0.62, -0.66], fill = [0.75, 0.1, -0.65];
    const toBody = (d) => [0, 1, 2].map((k) => R[k] * d[0] + R[3 + k] * d[1] + R[6 + k] * d[2]);
    const a = toBody(key), b = toBody(fill), v = mesh.verts, n = mesh.normals;
    for (let i = 0; i < count; i++) {
      const k = 3 * i, x = v[k] - centre[0], y = v[k + 1] - centre[1], z = v[k + 2] - centre[2];
      const px = R[0] * x + R[1] * y + R[2] * z;
      const py = R[3] * x + R[4] * y + R[5] * z;
      const depth = R[6] * x + R[7] * y + R[8] * z + distance;
      const s = focal / depth;
      const lit = Math.max(0, n[k] * a[0] + n[k + 1] * a[1] + n[k + 2] * a[2]);
      const soft = Math.max(0, n[k] * b[0] + n[k + 1] * b[1] + n[k + 2] * b[2]);
      out[4 * i] = px * s + w / 2;
      out[4 * i + 1] = py * s + h / 2;
      out[4 * i + 2] = 1 / depth;
      out[4 * i + 3] = 0.4 + 0.52 * lit + 0.18 * soft;
    }
    return out;
  }

  function fill(layer, mesh, p, w, h, heated) {
    const { faces } = mesh, { near, rgb } = layer, base = mesh.color, colors = heated ? mesh.heat : null;
    for (let f = 0; f < faces.length; f += 3) {
      const ia = faces[f], ib = faces[f + 1], ic = faces[f + 2], a = 4 * ia, b = 4 * ib, c = 4 * ic;
      const ax = p[a], ay = p[a + 1], bx = p[b], by = p[b + 1], cx = p[c], cy = p[c + 1];
      const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
      if (area === 0) continue;
      const x0 = Math.max(0, Math.ceil(Math.min(ax, bx, cx))), x1 = Math.min(w - 1, Math.floor(Math.max(ax, bx, cx)));
      const y0 = Math.max(0, Math.ceil(Math.min(ay, by, cy))), y1 = Math.min(h - 1, Math.floor(Math.max(ay, by, cy)));
      const inverse = 1 / area;
      for (let y = y0; y <= y1; y++) {
        for (let x = x0; x <= x1; x++) {
          const wa = ((bx - x) * (cy - y) - (by - y) * (cx - x)) * inverse;
          const wb = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) * inverse;
          const wc = 1 - wa - wb;
          if (wa < -1e-6 || wb < -1e-6 || wc < -1e-6) continue;
          const z = wa * p[a + 2] + wb * p[b + 2] + wc * p[c + 2], at = y * w + x;
          if (z <= near[at]) continue;
          near[at] = z;
          const light = wa * p[a + 3] + wb * p[b + 3] + wc * p[c + 3];
          for (let k = 0; k < 3; k++) {
            const tone = colors ? wa * colors[3 * ia + k] + wb * colors[3 * ib + k] + wc * colors[3 * ic + k] : base[k];
            rgb[3 * at + k] = tone * light;
          }
        }
      }
    }
  }

  function compose(image, solid, ghost) {
    const out = image.data;
    for (let at = 0, q = 0; at < solid.near.length; at++, q += 4) {
      const zs = solid.near[at], zg = ghost ? ghost.near[at] : 0;
      if (!zs && !zg) { out[q + 3] = 0; continue; }
      const share = !zs ? 1 : zg > zs ? 0.24 : 0;
      for (let k = 0; k < 3; k++) {
        const a = zs ? solid.rgb[3 * at + k] : 0, b = share ? ghost.rgb[3 * at + k] : 0;
        out[q + k] = a * (1 - share) + b * share;
      }
      out[q + 3] = zs ? 255 : 165;
    }
  }

  const newLayer = (n) => ({ near: new Float32Array(n), rgb: new Uint8ClampedArray(3 * n) });

  function draw(fine) {
    const ratio = fine ? Math.max(2, Math.min(window.devicePixelRatio || 1, 2)) : 1;
    const w = Math.round(canvas.clientWidth * ratio), h = Math.round(canvas.clientHeight * ratio);
    if (!w || !h) return;
    canvas.width = w; canvas.height = h;
    const entry = data.cases[state.index], meshes = loadCase(state.index), R = rotation();
    const solid = newLayer(w * h), ghost = state.mode === "both" ? newLayer(w * h) : null;
    for (const mesh of meshes) {
      const isTarget = mesh.kind === "target";
      if (isTarget && (state.mode === "prediction" || state.mode === "error")) continue;
      if (!isTarget && state.mode === "target") continue;
      const layer = isTarget && ghost ? ghost : solid;
      fill(layer, mesh, project(mesh, R, entry.centre, entry.radius, w, h), w, h, state.mode === "error" && mesh.heat);
    }
    const image = context.createImageData(w, h);
    compose(image, solid, ghost);
    context.putImageData(image, 0, 0);
  }

  function refresh() {
    if (!pending) pending = requestAnimationFrame(() => { pending = 0; draw(false); });
    clearTimeout(settle);
    settle = setTimeout(() => draw(true), 140);
  }

  function press(group, chosen) {
    document.querySelectorAll(group).forEach((b) => b.setAttribute("aria-pressed", String(b === chosen)));
  }

  document.querySelectorAll("[data-case]").forEach((button) => button.addEventListener("click", () => {
    state.index = Number(button.dataset.case);
    press("[data-case]", button);
    document.getElementById("scene-caption").textContent = data.cases[state.index].caption;
    home();
  }));
  document.querySelectorAll("[data-mode]").forEach((button) => button.addEventListener("click", () => {
    state.mode = button.dataset.mode;
    press("[data-mode]", button);
    document.getElementById("scene").dataset.shown = state.mode;
    refresh();
  }));

  const turn = (dx, dy) => {
    view.yaw += dx;
    view.pitch = Math.min(1.5, Math.max(-1.5, view.pitch - dy));
    refresh();
  };
  const zoom = (factor) => {
    view.zoom = Math.min(6, Math.max(0.4, view.zoom * factor));
    refresh();
  };
  const home = () => { Object.assign(view, HOME); refresh(); };
  canvas.addEventListener("pointerdown", (e) => {
    canvas.setPointerCapture(e.pointerId);
    canvas.dataset.dragging = "1";
  });
  canvas.addEventListener("pointermove", (e) => {
    if (canvas.dataset.dragging) turn(e.movementX * 0.009, e.movementY * 0.009);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, () => { delete canvas.dataset.dragging; });
  }
  canvas.addEventListener("wheel", (e) => {
    if (!e.ctrlKey && document.activeElement !== canvas) return;
    e.preventDefault();
    zoom(Math.exp(-e.deltaY * 0.001));
  }, { passive: false });
  canvas.addEventListener("dblclick", home);
  const CLOSER = 1.15;
  const KEYS = {
    ArrowLeft: () => turn(-0.12, 0), ArrowRight: () => turn(0.12, 0),
    ArrowUp: () => turn(0, -0.12), ArrowDown: () => turn(0, 0.12),
    "+": () => zoom(CLOSER), "=": () => zoom(CLOSER), "-": () => zoom(1 / CLOSER), "_": () => zoom(1 / CLOSER),
    Home: home,
  };
  canvas.addEventListener("keydown", (e) => {
    if (!KEYS[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    KEYS[e.key]();
  });
  new ResizeObserver(refresh).observe(canvas);
  refresh();
})();
