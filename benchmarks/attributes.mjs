// The package's own outputs: `node attributes.mjs FOLDER PICTURES`, see attributes.py.
// PICTURES holds float32 files NAME.bin of square pictures (n, side, side, 3) in 0 to 255; writes
// the outputs (n, k) to NAME.json.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [folder, pictures] = process.argv.slice(2);
const require = createRequire(join(resolve(folder), "package.json"));
const { nets, tf } = require("@vladmandic/face-api/dist/face-api.node-wasm.js");
const models = join(folder, "node_modules/@vladmandic/face-api/model");
const sides = { age_sex: 112, expression: 112, identity: 150 };
const networks = {
  age_sex: [nets.ageGenderNet, ({ age, gender }) => [...age.dataSync(), gender.dataSync()[0]]],
  expression: [nets.faceExpressionNet, (probabilities) => [...probabilities.dataSync()]],
  identity: [nets.faceRecognitionNet, (descriptor) => [...descriptor.dataSync()]],
};

await tf.setBackend("cpu");
for (const [name, [network, numbers]] of Object.entries(networks)) {
  await network.loadFromDisk(models);
  const bytes = readFileSync(join(pictures, `${name}.bin`));
  const values = new Float32Array(new Uint8Array(bytes).buffer);
  const shape = [sides[name], sides[name], 3];
  const length = shape.reduce((a, b) => a * b);
  const outputs = [];
  for (let start = 0; start < values.length; start += length) {
    const picture = tf.tensor3d(values.subarray(start, start + length), shape);
    outputs.push(numbers(await network.forward(picture)));
  }
  writeFileSync(join(pictures, `${name}.json`), JSON.stringify(outputs));
}
