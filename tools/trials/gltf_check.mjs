// Check glTF files with the Khronos validator; ends with status 1 where one has an error or a warning.
//
//     npm install --prefix /tmp/gltf gltf-validator
//     NODE_PATH=/tmp/gltf/node_modules node tools/trials/gltf_check.mjs FILE.glb...
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const validator = createRequire(import.meta.url)("gltf-validator");
let bad = 0;
for (const file of process.argv.slice(2)) {
  const { issues, info } = await validator.validateBytes(new Uint8Array(readFileSync(file)), { uri: file });
  const { numErrors, numWarnings, numInfos, numHints } = issues;
  bad += numErrors + numWarnings;
  console.log(`${file}: ${numErrors} errors, ${numWarnings} warnings, ${numInfos} infos, ${numHints} hints; ` +
    `${info.totalVertexCount} vertices, ${info.maxInfluences} influences, ${info.animationCount} animations`);
  for (const { code, message, pointer } of issues.messages.slice(0, 10)) console.log(`  ${code} ${pointer}: ${message}`);
}
process.exit(bad ? 1 : 0);
