// The buttons and sliders, made from the model's facts; `follow` sets them to a recipe.
import { MAX_SEED } from './random.js';
import { PARTS } from './recipe.js';
import { language, t } from './texts.js';

const SHOWN = 8; // directions before the fold
const $ = (id) => document.getElementById(id);

export function h(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith('on')) made[key] = value;
    else if (key.startsWith('aria-') || key === 'role' || key === 'for') made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

export function setTheme(turn = false) {
  let dark = matchMedia('(prefers-color-scheme: dark)').matches;
  try {
    const kept = localStorage.getItem('imagen-theme');
    if (kept) dark = kept === 'dark';
    if (turn) localStorage.setItem('imagen-theme', (dark = !dark) ? 'dark' : 'light');
  } catch { if (turn) dark = document.documentElement.dataset.theme !== 'dark'; }
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
}

// The track is filled from `origin` to the thumb.
function slider({ id, label, help, min, max, step, initial, origin = min, oninput }) {
  const out = h('output', { htmlFor: id }), input = h('input', { id, type: 'range', min, max, step, title: help, 'aria-label': label });
  const set = (value) => {
    input.value = value;
    out.textContent = Number(value).toFixed(2).replace(/\.?0+$/, '');
    const [from, to] = [origin, Number(input.value)].sort((a, b) => a - b).map((place) => `${(100 * (place - min)) / (max - min)}%`);
    input.style.setProperty('--from', from);
    input.style.setProperty('--to', to);
  };
  input.oninput = () => { set(input.value); oninput(Number(input.value)); };
  input.ondblclick = () => { set(initial); oninput(initial); };
  set(initial);
  return { node: h('div', { className: 'slider' }, h('label', { for: id }, label), out, input), set };
}

const button = (id, key, onclick, help) => h('button', { id, type: 'button', onclick, title: help || '' }, t(key));

export function buildControls(facts, actions, walk) {
  let recipe = null;
  const edit = (work) => { const next = structuredClone(recipe); work(next); actions.change(next, 'slide'); };

  // under the picture
  const seed = h('input', { id: 'seed', type: 'number', min: 0, max: MAX_SEED, step: 1, 'aria-label': t('seed'), inputMode: 'numeric' });
  const isSeed = (box, tell) => { // a whole number that can be a seed; any other changes nothing, and is said
    const fine = /^\d{1,10}$/.test(box.value) && Number(box.value) <= MAX_SEED;
    box.setAttribute('aria-invalid', String(!fine));
    if (!fine) tell(t('seed_wrong', { most: MAX_SEED }));
    return fine;
  };
  seed.onchange = () => { if (isSeed(seed, actions.refuse)) actions.seed(Number(seed.value)); };
  const step = (id, key, sign, by) => h('button', { id, type: 'button', onclick: () => actions.seed(recipe.seeds[0][0] + by), 'aria-label': t(key), title: t(key) }, sign);
  const play = button('play', 'play', () => walk.toggle());
  walk.onchange = () => { play.textContent = t(walk.playing ? 'pause' : 'play'); play.setAttribute('aria-pressed', walk.playing); };
  $('bar').replaceChildren(
    h('span', { className: 'group' }, step('previous', 'previous', '‹', -1), seed, step('next', 'next', '›', 1)),
    button('random', 'random', actions.random), play, button('keep', 'keep', () => walk.keep(), t('keep_help')),
    button('download', 'download', actions.download), button('share', 'share', actions.share));

  // the panel
  const classes = facts.classes.length ? h('select', { id: 'class', onchange: () => edit((next) => { next.label = Number(classes.value); next.class_mix = []; }) }) : null;
  const psi = slider({
    id: 'psi', label: t('psi'), help: t('psi_help'), min: 0, max: 1.5, step: 0.01, initial: facts.default_psi,
    oninput: (value) => edit((next) => { next.psi = value; next.psi_layers = []; }),
  });
  const noise = facts.noise_size ? h('input', { id: 'noise', type: 'number', min: 0, max: MAX_SEED, step: 1, title: t('noise_help'), inputMode: 'numeric' }) : null;
  const noiseError = h('small', { id: 'noise-wrong', className: 'bad', role: 'alert' }); // on a phone the line under the picture may be out of sight
  const sayByNoise = (text) => { noise.after(noiseError); noiseError.textContent = text; };
  if (noise) noise.onchange = () => { if (isSeed(noise, sayByNoise)) edit((next) => { next.noise = Number(noise.value); }); };
  const speed = slider({ id: 'speed', label: t('speed'), help: '', min: 0.5, max: 10, step: 0.5, initial: walk.seconds, oninput: (value) => { walk.seconds = value; } });
  const name = (direction) => (language() === 'zh' ? direction.name_zh || direction.name : direction.name);
  const sliders = new Map(); // "id@layers" -> slider
  const direction = (found, layers) => {
    const shown = layers ? t('layers', { name: name(found), layers: PARTS.includes(layers) ? t(layers) : layers }) : name(found);
    const made = slider({
      id: `direction-${found.id}${layers && `-${layers}`}`, label: shown, help: t('slider_help'), min: -3, max: 3, step: 0.05, initial: 0, origin: 0,
      oninput: (value) => edit((next) => {
        next.directions = next.directions.filter(([id, , reach]) => id !== found.id || reach !== layers);
        next.directions.push([found.id, value, layers]);
      }),
    });
    sliders.set(`${found.id}@${layers}`, made);
    return made.node;
  };
  const nodes = facts.directions.map((found) => direction(found, '')), extra = h('div', { id: 'extra' });
  const more = nodes.length > SHOWN ? h('details', { id: 'more' }, h('summary', {}, t('more')), ...nodes.slice(SHOWN)) : null;
  $('panel').replaceChildren(...[
    classes && h('div', { className: 'field' }, h('label', { for: 'class' }, t('class')), classes),
    psi.node, nodes.length ? h('h2', {}, t('directions')) : null, ...nodes.slice(0, SHOWN), more, extra,
    noise && h('div', { className: 'field' }, h('label', { for: 'noise' }, t('noise')), noise),
    button('reset', 'reset', actions.reset), speed.node,
  ].filter(Boolean));

  function follow(now) {
    recipe = now;
    seed.value = now.seeds[0][0];
    psi.set(now.psi);
    if (noise) noise.value = now.noise;
    [seed, noise].forEach((box) => box?.removeAttribute('aria-invalid'));
    noiseError.remove();
    if (classes) {
      const mixed = now.class_mix.length ? [h('option', { value: '' }, t('mixed'))] : [];
      classes.replaceChildren(...mixed, ...facts.classes.map((title, index) => h('option', { value: index }, title)));
      classes.value = now.class_mix.length ? '' : now.label ?? 0;
    }
    for (const [id, , layers] of now.directions) { // a link may move a direction in layers of its own
      const found = facts.directions.find((each) => each.id === id);
      if (found && !sliders.has(`${id}@${layers}`)) extra.append(direction(found, layers));
    }
    const amounts = new Map(now.directions.map(([id, amount, layers]) => [`${id}@${layers}`, amount]));
    for (const [key, made] of sliders) made.set(amounts.get(key) ?? 0);
  }
  return { follow };
}
