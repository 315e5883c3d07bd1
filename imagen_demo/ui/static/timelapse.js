// The sample grid of a run and its past. props.value = {run, kimg: [..], said: [..], alpha}; frames come from server.frame; TEXTS stands before this.
// Follows the newest grid until the slider is moved away from its end.
const D = window.imagenDemo, { h, button } = D, T = D.texts(TEXTS);
const root = element.querySelector('.tl-root');
const picture = h('img', { id: 'train-grid', alt: '' });
picture.hidden = true;
const empty = h('span', {}, T('tl_empty'));
const stage = h('div', { class: 'tl-stage' }, picture, empty);
const slider = h('input', { type: 'range', id: 'train-timelapse', min: 0, max: 0, step: 1, 'aria-label': T('tl_slider') });
const label = h('output', {});
let timer = 0, turn = 0; // turn: number of the playing that goes on, not one that still waits for its last frame
const play = button('train-play', T('tl_play'), 'play', () => timer ? halt() : run(), { bare: true });
const controls = h('div', { class: 'tl-controls' }, play, slider, label);
root.append(stage, controls);

let current = { run: null, kimg: [] }, following = true;
const cache = new Map();
const said = (index) => current.said?.[index] ?? '';
const paint = () => { slider.style.setProperty('--to', `${slider.max > 0 ? 100 * slider.value / slider.max : 100}%`); };

const fetchFrame = async (index) => {
  const key = `${current.run}/${current.kimg[index]}`;
  if (!cache.has(key)) {
    const answer = await D.ask(server.frame, { run: current.run, kimg: current.kimg[index] });
    if (answer.error) { label.textContent = answer.error; return null; }
    cache.set(key, answer.image);
    if (cache.size > 200) cache.delete(cache.keys().next().value);
  }
  return cache.get(key);
};
const show = D.newest(async (index) => {
  const shownRun = current.run, kimg = current.kimg[index];
  if (kimg === undefined) return;
  const image = await fetchFrame(index);
  if (!image || shownRun !== current.run) return;
  picture.src = image;
  picture.alt = T('tl_alt', { count: said(index) });
  picture.dataset.kimg = kimg; // lets tests see which grid is shown
  picture.hidden = false; empty.hidden = true;
  label.textContent = T('tl_at', { count: said(index) });
});
const go = (index) => { slider.value = index; paint(); return show(+index); };
const halt = () => { clearTimeout(timer); timer = 0; face(false); };
const face = (playing) => {
  const name = T(playing ? 'tl_pause' : 'tl_play');
  play.replaceChildren(D.icon(playing ? 'pause' : 'play'));
  play.title = name; play.setAttribute('aria-label', name);
};
const run = async () => { // plays in at most about 12 seconds, however long the run
  const last = current.kimg.length - 1;
  if (last < 1) return;
  const mine = ++turn;
  face(true); following = false;
  const stride = Math.max(1, Math.round(last / 120));
  let index = +slider.value >= last ? 0 : +slider.value;
  const step = async () => {
    await go(index);
    if (!timer || mine !== turn) return;
    if (index >= current.kimg.length - 1) { following = true; halt(); return; }
    index = Math.min(index + stride, current.kimg.length - 1);
    timer = setTimeout(step, 100);
  };
  timer = setTimeout(step, 0);
};
slider.addEventListener('input', () => { halt(); following = +slider.value >= +slider.max; paint(); show(+slider.value); });

const update = () => {
  const value = props.value || { run: null, kimg: [] };
  const other = value.run !== current.run;
  current = value;
  if (other) { halt(); following = true; cache.clear(); picture.hidden = true; empty.hidden = false; label.textContent = ''; }
  stage.classList.toggle('im-alpha', !!value.alpha);
  slider.max = Math.max(0, value.kimg.length - 1);
  controls.hidden = value.kimg.length < 2;
  if (following && value.kimg.length) go(value.kimg.length - 1); else paint();
};
watch('value', update);
update();
