// A walk from picture to picture: through those that were kept, or on and on to random ones.
import { randomSeed } from './random.js';
import { t } from './texts.js';

const smooth = (x) => x * x * (3 - 2 * x);

export class Walk {
  constructor(parts) {
    Object.assign(this, parts); // engine, paint, current, oneSeed, stopped, go, failed
    this.keys = []; // {recipe, bytes}
    this.seconds = 2;
    this.playing = false;
    this.turn = 0; // number of the walk that is playing: one that still draws its last frame is not taken for it
    this.box = document.getElementById('keys');
    this.onchange = () => {};
  }

  async keep() { // the picture that the controls say; on a walk there is another in sight
    if (this.playing) await this.toggle();
    const recipe = structuredClone(this.current());
    try {
      const { bytes } = await this.engine.draw(await this.engine.code(recipe), recipe.noise);
      this.keys.push({ recipe, bytes });
      this.list();
    } catch (error) { this.failed(error); }
  }

  list() {
    this.box.hidden = !this.keys.length;
    this.box.setAttribute('aria-label', t('kept'));
    this.box.replaceChildren(...this.keys.map((key, index) => {
      const seed = key.recipe.seeds[0][0], side = Math.sqrt(key.bytes.length / 4);
      const small = Object.assign(document.createElement('canvas'), { width: side, height: side });
      small.getContext('2d').putImageData(new ImageData(key.bytes, side), 0, 0);
      const open = Object.assign(document.createElement('button'), { type: 'button', className: 'thumb', onclick: () => this.go(structuredClone(key.recipe)) });
      open.setAttribute('aria-label', t('open', { seed }));
      open.append(small);
      const remove = Object.assign(document.createElement('button'), {
        type: 'button', className: 'plain', textContent: '×', onclick: () => { this.keys.splice(index, 1); this.list(); },
      });
      remove.setAttribute('aria-label', t('remove', { seed }));
      const item = document.createElement('div');
      item.setAttribute('role', 'listitem');
      item.append(open, remove);
      return item;
    }));
  }

  stop() {
    if (!this.playing) return;
    this.playing = false;
    this.onchange();
  }

  async toggle() {
    if (this.playing) { this.stop(); await this.stopped(); return; }
    this.playing = true;
    this.onchange();
    try { await this.#walk(this.turn += 1); } catch (error) { this.stop(); this.failed(error); }
  }

  async #walk(turn) {
    const goesOn = () => this.playing && this.turn === turn;
    const stops = this.keys.length > 1 ? this.keys.map((key) => key.recipe) : null;
    const start = stops ? stops[0] : this.current(); // its noise stays: detail that changed on the way would flicker
    let at = 0, from = await this.engine.code(start);
    while (goesOn()) {
      at += 1;
      const next = stops ? stops[at % stops.length] : this.oneSeed(randomSeed());
      const to = await this.engine.code(next);
      const started = performance.now();
      for (let part = 0; goesOn() && part < 1;) {
        part = Math.min(1, (performance.now() - started) / 1000 / this.seconds);
        const step = smooth(part);
        const drawn = await this.engine.draw(from.map((value, i) => value + step * (to[i] - value)), start.noise);
        if (!goesOn()) return;
        this.paint(drawn);
        await new Promise(requestAnimationFrame);
      }
      from = to;
    }
  }
}
