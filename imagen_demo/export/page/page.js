// One recipe, shown as sliders, as an address, and as a picture.
import { Engine, newest } from './engine.js';
import { drawable } from './latent.js';
import { toPng } from './pixels.js';
import { MAX_SEED, randomSeed } from './random.js';
import { Unreadable, normal, readQuery, toJson, toQuery } from './recipe.js';
import { buildControls, setTheme } from './controls.js';
import { Walk } from './walk.js';
import { language, setLanguage, t } from './texts.js';

const $ = (id) => document.getElementById(id);
const canvas = $('picture'), pen = canvas.getContext('2d');
const state = { facts: null, engine: null, recipe: null, bytes: null, notes: [], frames: 0, controls: null, walk: null };
window.imagenPage = state; // for tests and the curious

const say = (text, bad = false) => { $('note').textContent = text; $('note').classList.toggle('bad', bad); };
const copy = (value) => structuredClone(value);

// -- the picture ------------------------------------------------------------------------------------
function paint({ bytes, milliseconds }) {
  pen.putImageData(new ImageData(bytes, state.facts.resolution), 0, 0);
  state.bytes = bytes;
  state.milliseconds = milliseconds;
  canvas.dataset.frames = String(state.frames += 1);
}
const show = newest(async (recipe, isNewest) => {
  try {
    const drawn = await state.engine.draw(await state.engine.code(recipe), recipe.noise);
    if (state.walk?.playing) return;
    paint(drawn);
    canvas.dataset.shown = toQuery(recipe);
    if (isNewest()) say(notes(recipe));
  } catch (error) { failed(error); }
});
function failed(error) { say(t('failed', { why: error.message }), true); }

function notes(recipe) {
  const also = [];
  if (recipe.seeds.length > 1) also.push(t('also_blend'));
  if (recipe.fine_seeds.length) also.push(t('also_fine', { seeds: recipe.fine_seeds.map(([seed]) => seed).join(', '), split: recipe.split }));
  if (recipe.psi_layers.length) also.push(t('also_psis'));
  if (recipe.centre === 'nearest') also.push(t('also_nearest'));
  const list = state.notes.map(([key, values]) => t(key, values));
  if (recipe.centre === 'nearest' && !state.facts.centres.length) list.push(t('no_centres'));
  if (also.length) list.push(t('also', { what: also.join(language() === 'zh' ? '、' : ', ') }));
  return list.join(' ');
}

// -- the recipe and the address -----------------------------------------------------------------------
// `kind`: "slide" while a control moves, "step" for a new picture that Back leaves again.
function change(recipe, kind = 'step') {
  if (state.walk?.playing) state.walk.stop();
  if (kind === 'step') state.notes = [];
  state.recipe = normal(recipe);
  const address = `?${toQuery(state.recipe)}`;
  if (kind === 'step') { settled(); history.pushState(null, '', address); } else settle(address);
  state.controls.follow(state.recipe);
  return show(copy(state.recipe));
}
let settling = 0, pending = '';
function settle(address) { // browsers bear few changes of the address a second
  clearTimeout(settling);
  pending = address;
  settling = setTimeout(settled, 200);
}
function settled() {
  clearTimeout(settling);
  if (pending) history.replaceState(null, '', pending);
  pending = '';
}

const first = ({ name, model_hash, first_seed, default_psi, classes }) => normal({ // the picture that greets visitors
  ...readQuery('').recipe, model: name, model_hash, seeds: [[first_seed, 1]], psi: default_psi, label: classes.length ? 0 : null,
});

function fromAddress() {
  const { facts } = state;
  state.notes = [];
  let query = new URLSearchParams(location.search), read = null;
  while (!read) { // what cannot be read is left out, and said
    try { read = readQuery(query); } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      state.notes.push(['unreadable', { key: error.key, value: error.value }]);
      query.delete(error.key);
    }
  }
  if (read.model && read.model !== facts.name) state.notes.push(['other_model', { name: read.model, own: facts.name }]);
  else if (read.hash && !facts.model_hash.startsWith(read.hash)) state.notes.push(['other_version', {}]);
  if (query.has('t')) state.notes.push(['film', {}]);
  if (read.size && Number(read.size) !== facts.resolution) state.notes.push(['no_size', { side: facts.resolution, size: read.size.slice(0, 8) }]);
  const linked = ['model', 'seed', 'psi', 'd', 'class', 'fine', 'noise'].some((key) => query.has(key));
  const found = drawable(linked ? read.recipe : first(facts), facts);
  state.notes.push(...found.notes);
  const recipe = { ...found.recipe, model: facts.name, model_hash: facts.model_hash };
  if (facts.classes.length && recipe.label === null && !recipe.class_mix.length) recipe.label = 0;
  return normal(recipe);
}

const oneSeed = (seed) => ({ ...copy(state.recipe), seeds: [[seed, 1]], fine_seeds: [], split: 0 });
const actions = {
  change,
  seed: (seed) => change(oneSeed(Math.min(MAX_SEED, Math.max(0, seed)))), // the arrows stop at both ends
  refuse: (text) => say(text, true),
  random: () => actions.seed(randomSeed()),
  reset: () => change({ ...copy(state.recipe), psi: state.facts.default_psi, psi_layers: [], centre: 'mean', directions: [] }),
  download: async () => {
    let drawn;
    try {
      drawn = await state.engine.draw(await state.engine.code(state.recipe), state.recipe.noise);
    } catch (error) { failed(error); return; }
    const { channels, resolution, name } = state.facts;
    const file = await toPng(drawn.bytes, channels, resolution, toJson(state.recipe));
    const link = document.createElement('a');
    link.href = URL.createObjectURL(file);
    link.download = `${name.replaceAll('/', '-')}-seed${state.recipe.seeds.slice(0, 3).map(([seed]) => String(seed).padStart(4, '0')).join('-')}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  },
  share: async () => {
    settle(`?${toQuery(state.recipe)}`);
    settled();
    try { await navigator.clipboard.writeText(location.href); say(t('copied')); } catch { say(t('not_copied')); }
  },
};

// -- the page -----------------------------------------------------------------------------------------
function build() { // again when the language changes
  document.documentElement.lang = language() === 'zh' ? 'zh-CN' : 'en';
  canvas.setAttribute('aria-label', t('picture'));
  $('language').textContent = language() === 'zh' ? 'English' : '中文';
  $('theme').setAttribute('aria-label', t('theme'));
  state.walk ??= new Walk({ engine: state.engine, paint, current: () => state.recipe, oneSeed, stopped: () => show(copy(state.recipe)), go: change, failed });
  state.controls = buildControls(state.facts, actions, state.walk);
  state.walk.list();
  const licence = state.facts.licence ? t('licence', { licence: state.facts.licence }) : '';
  $('footer').textContent = [state.kind ? t(state.kind) : '', licence, t('made')].filter(Boolean).join(' ');
}

function poster() { // who comes without a link sees the first picture before the networks are there
  if (toQuery(first(state.facts)) !== toQuery(state.recipe)) return;
  const picture = new Image();
  picture.onload = () => {
    if (!state.frames) pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    canvas.dataset.poster = 'shown';
  };
  picture.src = new URL('icon.png', import.meta.url);
}

async function start() {
  setTheme();
  $('theme').onclick = () => setTheme(true);
  if (location.protocol === 'file:') return;
  const answer = await fetch(new URL('model.json', import.meta.url), { cache: 'no-cache' });
  if (!answer.ok) throw new Error(`model.json: ${answer.status}`);
  const facts = state.facts = await answer.json();
  canvas.width = canvas.height = facts.resolution;
  canvas.classList.toggle('smooth', facts.resolution >= 256);
  $('frame').classList.toggle('alpha', facts.channels === 4);
  const asked = new URLSearchParams(location.search).get('engine');
  state.engine = new Engine(facts, asked, (part) => {
    $('progress').value = part;
    say(part === 1 ? t('preparing') : t('loading_part', { percent: Math.floor(100 * part) }));
  });
  build();
  $('language').onclick = () => {
    setLanguage(language() === 'zh' ? 'en' : 'zh');
    build();
    state.controls.follow(state.recipe);
    say(notes(state.recipe));
  };
  addEventListener('popstate', () => { change(fromAddress(), 'slide'); });
  state.recipe = fromAddress();
  state.controls.follow(state.recipe);
  poster();
  const { kind } = await state.engine.ready;
  state.kind = kind;
  $('progress').hidden = true;
  build();
  state.controls.follow(state.recipe);
  await show(copy(state.recipe));
  document.body.dataset.ready = kind;
}
start().catch((error) => {
  $('progress').hidden = true;
  say(t('failed', { why: error.message }), true);
});
