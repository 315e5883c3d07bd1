// A picture's recipe and its short form in an address: the same as Imagen Demo's, so that links work in both.
import { MAX_SEED } from './random.js';

const LIMITS = { psi: 2, amount: 10, weight: 1000, pairs: 16, layers: 32, directions: 64 };
const DEFAULTS = {
  model: '', model_hash: '', seeds: [[0, 1]], fine_seeds: [], split: 0, label: null, class_mix: [],
  psi: 1, psi_layers: [], centre: 'mean', directions: [], noise: 0,
};
export const PARTS = ['coarse', 'middle', 'fine'];

export class Unreadable extends Error { // key and value of an address that make no recipe
  constructor(key, value) { super(`${key}=${value}`); this.key = key; this.value = String(value).slice(0, 40); }
}

const number = (text, limit, low = -limit) => {
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text.trim()) ? Number(text) : NaN;
  if (!(value >= low && value <= limit)) throw new RangeError(text);
  return value + 0;
};
const whole = (text, high) => {
  if (!/^\d+$/.test(text.trim()) || Number(text) > high) throw new RangeError(text);
  return Number(text);
};
const pairs = (text, high) => {
  const found = text.split(',').map((part) => {
    const [first, second] = part.split('*');
    return [whole(first, high), second === undefined ? 1 : number(second, LIMITS.weight, 0)];
  }).filter(([, weight]) => weight > 0);
  if (!found.length || found.length > LIMITS.pairs) throw new RangeError(text);
  return found.length === 1 ? [[found[0][0], 1]] : found;
};
const layersText = (text) => {
  if (text === '' || PARTS.includes(text)) return text;
  const found = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(text);
  if (!found || Number(found[2] ?? found[1]) < Number(found[1])) throw new RangeError(text);
  return `${Number(found[1])}-${Number(found[2] ?? found[1])}`;
};
const directions = (text) => {
  const found = new Map();
  for (const part of text.split(',')) {
    const mark = part.lastIndexOf(':');
    if (mark < 0) throw new RangeError(text);
    const [id, layers = ''] = part.slice(0, mark).split('@');
    const name = /^\d+$/.test(id) ? `pc${Number(id)}` : id; // early links count principal components
    if (!/^[a-z][a-z0-9-]{0,31}$/.test(name)) throw new RangeError(text);
    found.set(`${name}@${layersText(layers)}`, number(part.slice(mark + 1), LIMITS.amount));
  }
  if (found.size > LIMITS.directions) throw new RangeError(text);
  return [...found].filter(([, amount]) => amount).map(([key, amount]) => [key.split('@')[0], amount, key.split('@')[1]]);
};

const READERS = {
  seed: (text, recipe) => { recipe.seeds = pairs(text, MAX_SEED); },
  fine: (text, recipe) => { recipe.fine_seeds = pairs(text, MAX_SEED); },
  split: (text, recipe) => { recipe.split = whole(text, LIMITS.layers); },
  class: (text, recipe) => {
    const found = pairs(text, 9999);
    if (found.length > 1) recipe.class_mix = found; else recipe.label = found[0][0];
  },
  psi: (text, recipe) => { recipe.psi = number(text, LIMITS.psi); },
  psis: (text, recipe) => {
    recipe.psi_layers = text.split(',').map((part) => number(part, LIMITS.psi));
    if (recipe.psi_layers.length > LIMITS.layers) throw new RangeError(text);
  },
  centre: (text, recipe) => {
    if (!['mean', 'nearest'].includes(text)) throw new RangeError(text);
    recipe.centre = text;
  },
  d: (text, recipe) => { recipe.directions = directions(text); },
  noise: (text, recipe) => { recipe.noise = whole(text, MAX_SEED); },
};

// {recipe, model, hash, size} of an address's query; throws Unreadable.
export function readQuery(query) {
  const given = new URLSearchParams(query), recipe = structuredClone(DEFAULTS);
  for (const [key, read] of Object.entries(READERS)) {
    const text = given.get(key);
    if (!text) continue;
    try { read(text.trim(), recipe); } catch { throw new Unreadable(key, text); }
  }
  return { recipe: normal(recipe), model: given.get('model'), hash: given.get('hash'), size: given.get('size') };
}

// What does not count is left out, as in Imagen Demo: equal pictures have equal recipes.
export function normal(recipe) {
  const made = { ...recipe, psi_layers: [...recipe.psi_layers] };
  while (made.psi_layers.length && made.psi_layers.at(-1) === made.psi) made.psi_layers.pop();
  if (!made.fine_seeds.length) made.split = 0;
  if (made.class_mix.length) made.label = null;
  made.directions = made.directions.filter(([, amount]) => amount).sort((a, b) => order(a, b));
  return made;
}
const order = (a, b) => {
  const natural = (id) => { const found = /^(.*?)(\d{1,9})$/.exec(id); return found ? [found[1], Number(found[2])] : [id, -1]; };
  const [nameA, numberA] = natural(a[0]), [nameB, numberB] = natural(b[0]);
  return nameA < nameB ? -1 : nameA > nameB ? 1 : numberA - numberB || (a[2] < b[2] ? -1 : a[2] > b[2] ? 1 : 0);
};

const writePairs = (list) => (list.length === 1 ? String(list[0][0]) : list.map(([value, weight]) => `${value}*${weight}`).join(','));

export function toQuery(recipe) {
  const short = {
    model: recipe.model, hash: recipe.model_hash, seed: writePairs(recipe.seeds),
    fine: recipe.fine_seeds.length ? writePairs(recipe.fine_seeds) : '', split: recipe.split || '',
    psi: recipe.psi !== 1 ? recipe.psi : '', psis: recipe.psi_layers.join(','),
    centre: recipe.centre !== 'mean' ? recipe.centre : '',
    class: recipe.class_mix.length ? writePairs(recipe.class_mix) : recipe.label ?? '',
    d: recipe.directions.map(([id, amount, layers]) => `${id}${layers ? `@${layers}` : ''}:${amount}`).join(','),
    noise: recipe.noise || '',
  };
  return Object.entries(short).filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${encodeURIComponent(value).replace(/%(2F|3A|2C|2A|40)/g, decodeURIComponent)}`).join('&');
}

// The canonical JSON that Imagen Demo writes into its PNG files: sorted keys, defaults left out.
export function toJson(recipe) {
  const changed = Object.keys(DEFAULTS).sort()
    .filter((key) => JSON.stringify(recipe[key]) !== JSON.stringify(DEFAULTS[key]));
  return JSON.stringify(Object.fromEntries(changed.map((key) => [key, recipe[key]])));
}
