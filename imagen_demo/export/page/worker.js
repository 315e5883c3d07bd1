// The networks, beside the page so that it stays quick: ONNX Runtime Web on the GPU (WebGPU) or in WebAssembly.
import { seedToZ } from './random.js';

const KINDS = { webgpu: 'ort-webgpu', wasm: 'ort-wasm' };
let ort, mapping, synthesis, facts, ownNoise, noise; // noise: {seed, values}, the last one asked for

const read = async (path, told) => { // bytes of a file beside this one, told of as they come
  const answer = await fetch(new URL(path, import.meta.url));
  if (!answer.ok || !answer.body) throw new Error(`${path}: ${answer.status}`);
  const reader = answer.body.getReader(), parts = [];
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    told(part.value.length);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
};
const unzipped = async (bytes) => { // some hosts unpack on the way
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer());
};
const gpu = async (any) => { // one that is more than this processor in disguise, unless `any` will do
  try {
    const adapter = await navigator.gpu?.requestAdapter(), about = adapter?.info;
    return adapter && (any || !(about?.isFallbackAdapter || /swiftshader|llvmpipe/i.test(`${about?.architecture} ${about?.description}`)));
  } catch { return false; }
};

async function load({ about, engine }) {
  facts = about;
  const kind = engine !== 'wasm' && (await gpu(engine === 'webgpu')) ? 'webgpu' : 'wasm';
  try {
    return await open(kind);
  } catch (error) {
    if (kind === 'wasm') throw error;
    return open('wasm'); // a GPU that the browser names and cannot use, or that draws other pictures
  }
}

async function open(kind) {
  const version = (name) => `${name}?v=${name.startsWith('ort/') ? facts.runtime : `${facts.model_hash}-${facts.files[name]}`}`;
  const binary = `ort/${KINDS[kind]}.bin`, files = [binary, 'mapping.onnx', 'synthesis.onnx', ...(facts.noise_size ? ['noise.bin'] : [])];
  const total = files.reduce((sum, name) => sum + facts.files[name], 0);
  let done = 0;
  const told = (count) => { done += count; postMessage({ progress: Math.min(1, done / total), kind }); };
  const [library, ...bytes] = await Promise.all([
    import(`./${version(`ort/${KINDS[kind]}.js`)}`), ...files.map((name) => read(version(name), told)),
  ]);
  ort = library;
  ort.env.logLevel = 'error';
  ort.env.wasm.wasmBinary = (await unzipped(bytes[0])).buffer;
  ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;
  mapping = await ort.InferenceSession.create(bytes[1], { executionProviders: ['wasm'] });
  synthesis = await ort.InferenceSession.create(bytes[2], { executionProviders: kind === 'webgpu' ? ['webgpu', 'wasm'] : ['wasm'] });
  if (facts.noise_size) noise = { seed: 0, values: ownNoise = new Float32Array(bytes[3].buffer) };
  const probe = await draw({ ws: Float32Array.from(facts.probe.ws), noise: 0 });
  const off = Math.max(...facts.probe.levels.map((level, i) => Math.abs(level - probe.levels[i * facts.probe.stride])));
  if (!(off <= 1)) throw new Error(`${kind} draws other pictures: ${off} levels off`);
  return { kind, off };
}

async function map({ z, label }) {
  const feeds = { z: new ort.Tensor('float32', z, [1, z.length]) };
  if (facts.classes.length) feeds.label = new ort.Tensor('int64', BigInt64Array.of(BigInt(label)), [1]);
  const found = await mapping.run(feeds);
  return { w: found.w.data, centre: found.w_avg.data };
}

async function draw({ ws, noise: seed }) {
  const started = performance.now();
  const feeds = { ws: new ort.Tensor('float32', ws, [1, facts.num_ws, facts.w_dim]) };
  if (noise) {
    if (noise.seed !== seed) noise = { seed, values: seed ? seedToZ(seed, facts.noise_size) : ownNoise };
    feeds.noise = new ort.Tensor('float32', noise.values, [1, facts.noise_size]);
  }
  const found = await synthesis.run(feeds);
  const levels = await found.picture.getData();
  return { levels, milliseconds: performance.now() - started };
}

const JOBS = { load, map, draw };
let last = Promise.resolve(); // one job at a time, in the order they came
onmessage = ({ data: { id, job, payload } }) => {
  last = last.then(async () => {
    try {
      postMessage({ id, answer: await JOBS[job](payload) });
    } catch (error) {
      postMessage({ id, error: String(error?.message || error) });
    }
  });
};
