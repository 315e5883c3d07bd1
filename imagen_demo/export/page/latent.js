// From a recipe to the network's input: blend, mix, truncate, move. The same sums as Imagen Demo's latent room.
import { PARTS } from './recipe.js';

// [first, after the last] layer of "", "2-5", "coarse", "middle" or "fine".
export function layerRange(text, count) {
  if (text === '') return [0, count];
  const third = PARTS.indexOf(text);
  if (third >= 0) return count >= 3 ? [Math.round((count * third) / 3), Math.round((count * (third + 1)) / 3)] : [0, count];
  const [first, last] = text.split('-').map(Number);
  return [first, Math.min(last + 1, count)];
}

// The recipe without what the model lacks, and the notes that say so: [key, values] of their texts.
export function drawable(recipe, facts) {
  const notes = [], count = facts.num_ws;
  const without = (key, values) => { notes.push([key, values]); return false; };
  const hasClass = (label) => label < Math.max(1, facts.classes.length) || without('no_class', { label });
  const label = recipe.label !== null && hasClass(recipe.label) ? recipe.label : null;
  const mix = recipe.class_mix.filter(([each]) => hasClass(each));
  const directions = recipe.directions.filter(([id, , layers]) => {
    if (!facts.directions.some((each) => each.id === id)) return without('no_direction', { id });
    return layerRange(layers, count)[0] < count || without('no_layers', { layers, count });
  });
  const lone = mix.length === 1;
  return { recipe: { ...recipe, label: lone ? mix[0][0] : label, class_mix: lone ? [] : mix, directions }, notes };
}

const blend = (parts) => { // [[vector, weight], ...] -> their mean
  if (parts.length === 1) return parts[0][0];
  const total = parts.reduce((sum, [, weight]) => sum + weight, 0);
  return parts[0][0].map((_, i) => parts.reduce((sum, [vector, weight]) => sum + vector[i] * (weight / total), 0));
};
const nearest = (w, centres) => {
  const distance = (centre) => centre.reduce((sum, value, i) => sum + (value - w[i]) ** 2, 0);
  return centres.reduce((best, centre) => (distance(centre) < distance(best) ? centre : best));
};

// Of a drawable recipe; `mapped(seed, label)` -> {w, centre}. Returns ws, Float32Array [num_ws * w_dim].
export async function latent(recipe, facts, mapped) {
  const { num_ws: count, w_dim: size } = facts;
  const classes = recipe.class_mix.length ? recipe.class_mix : [[recipe.label, 1]];
  const base = async (seeds) => {
    const ws = [], centres = [];
    for (const [label, weight] of classes) {
      const found = await Promise.all(seeds.map(([seed]) => mapped(seed, label ?? 0)));
      const w = blend(found.map((each, i) => [each.w, seeds[i][1]]));
      const several = recipe.centre === 'nearest' && facts.centres[label ?? 0];
      ws.push([w, weight]);
      centres.push([several ? nearest(w, several) : found[0].centre, weight]);
    }
    return { w: blend(ws), centre: blend(centres) };
  };
  const coarse = await base(recipe.seeds), fine = recipe.fine_seeds.length ? await base(recipe.fine_seeds) : coarse;
  const ws = new Float64Array(count * size);
  for (let layer = 0; layer < count; layer++) {
    const { w, centre } = recipe.fine_seeds.length && layer >= recipe.split ? fine : coarse;
    const psi = recipe.psi_layers[layer] ?? recipe.psi;
    for (let i = 0; i < size; i++) ws[layer * size + i] = psi === 1 ? w[i] : centre[i] + psi * (w[i] - centre[i]);
  }
  for (const [id, amount, layers] of recipe.directions) {
    const direction = facts.directions.find((each) => each.id === id);
    const [first, end] = layerRange(layers || direction.layers, count);
    for (let layer = first; layer < end; layer++) {
      for (let i = 0; i < size; i++) ws[layer * size + i] += amount * direction.scale * direction.vector[i];
    }
  }
  return Float32Array.from(ws);
}
