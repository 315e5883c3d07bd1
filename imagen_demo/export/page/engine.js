// The page's side of worker.js: pictures from recipes, the newest wish first.
import { latent } from './latent.js';
import { seedToZ } from './random.js';
import { toBytes } from './pixels.js';

const PATIENCE = 20_000; // milliseconds for a GPU's first picture, which builds all of its programs

export class Engine {
  constructor(facts, engine, onprogress) {
    this.facts = facts;
    this.onprogress = onprogress;
    this.mapped = new Map();
    this.count = 0;
    this.ready = new Promise((done, failed) => { this.#start(engine, done, failed); });
  }

  #start(engine, done, failed) {
    const worker = this.worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
    const waiting = this.waiting = new Map();
    let patience = 0;
    worker.onmessage = ({ data }) => {
      if (data.progress !== undefined) {
        this.onprogress(data.progress);
        if (data.progress === 1 && data.kind === 'webgpu' && !patience) { // some GPUs never answer
          patience = setTimeout(() => { worker.terminate(); this.#start('wasm', done, failed); }, PATIENCE);
        }
        return;
      }
      const asked = waiting.get(data.id);
      waiting.delete(data.id);
      if (data.error) asked.failed(new Error(data.error)); else asked.done(data.answer);
    };
    worker.onerror = (event) => { for (const asked of waiting.values()) asked.failed(new Error(event.message || 'worker')); };
    this.#ask('load', { about: this.facts, engine }).then(done, failed).finally(() => clearTimeout(patience));
  }

  #ask(job, payload) {
    return new Promise((done, failed) => {
      this.count += 1;
      this.waiting.set(this.count, { done, failed });
      this.worker.postMessage({ id: this.count, job, payload });
    });
  }

  map(seed, label) { // {w, centre}, remembered
    const key = `${seed}/${label}`;
    if (!this.mapped.has(key)) {
      if (this.mapped.size > 200) this.mapped.delete(this.mapped.keys().next().value);
      this.mapped.set(key, this.#ask('map', { z: seedToZ(seed, this.facts.z_dim), label }));
    }
    return this.mapped.get(key);
  }

  async code(recipe) { // the network's input, Float32Array
    await this.ready;
    return latent(recipe, this.facts, (seed, label) => this.map(seed, label));
  }

  async draw(ws, noise = 0) { // {bytes RGBA, milliseconds}; noise: its seed, 0 for the model's own
    const { levels, milliseconds } = await this.#ask('draw', { ws, noise });
    return { bytes: toBytes(levels, this.facts.channels, this.facts.resolution), milliseconds };
  }
}

// One call under way, the newest value waiting: never a queue, and the last value always gets its turn.
export function newest(work) {
  let busy = false, next = null;
  return async (value) => {
    if (busy) { next = { value }; return; }
    busy = true;
    for (let now = { value }; now; now = next) {
      next = null;
      await work(now.value, () => next === null);
      if (!next) break;
    }
    busy = false;
  };
}
