// The Interpolate tab, 4: a sound that drives the film. The server listens to it; the page draws what was heard.
let sound = null; // {hash, seconds, loudness, beats, url}
const heardSounds = new Map(); // every one that there was, by its hash: [sound, name]
const player = h('audio', { preload: 'auto' });
const hearing = () => sound && !player.error && !player.paused && !player.ended;
const listen = (on, from) => {
  if (!sound) return;
  if (!on) { player.pause(); return; }
  player.currentTime = Math.min(from, sound.seconds);
  player.play().catch(() => {}); // a browser that may not play it shows the film in silence
};
const wave = h('canvas', { class: 'in-wave', width: 480, height: 96, role: 'img', 'aria-label': T('i_wave') });
const drawWave = () => {
  const pen = wave.getContext('2d'), style = getComputedStyle(root), { width, height } = wave;
  pen.clearRect(0, 0, width, height);
  if (!sound) return;
  const bar = width / sound.loudness.length;
  pen.fillStyle = style.getPropertyValue('--im-accent');
  sound.loudness.forEach((value, index) => { const tall = Math.max(2, value * height * 0.8); pen.fillRect(index * bar, height - tall, Math.max(1, bar - 1), tall); });
  pen.fillStyle = style.getPropertyValue('--im-text');
  for (const beat of sound.beats) pen.fillRect(width * beat / sound.seconds - 1, 0, 2, height * 0.12);
};
const soundName = h('span', { class: 'im-label', id: 'interpolate-sound-name' });
const asLong = button('interpolate-sound-length', T('i_sound_length'), null, () => { stretchTo(Math.min(MOST_SECONDS, sound.seconds)); changed(); });
const noSound = button('interpolate-sound-remove', T('i_sound_remove'), 'remove', () => { takeSound(null); changed(); }, { bare: true });
const react = D.slider({
  id: 'interpolate-react', label: T('i_react'), min: 0, max: 1, step: 0.05, initial: spec.react,
  oninput: (value) => { spec.react = value; }, onchange: () => changed('react'),
  limited,
});
react.node.title = T('i_react_help');
const soundBox = h('div', { class: 'in-sound' }, h('div', { class: 'im-title' }, soundName, noSound), wave, react.node, asLong);
const takeSound = (heard, name = '') => {
  player.pause();
  sound = heard;
  spec.sound = heard?.hash || '';
  if (heard) heardSounds.set(heard.hash, [heard, name]);
  if (heard) { player.src = heard.url; soundName.textContent = T('i_sound_heard', { name: name || T('i_sound'), seconds: heard.seconds.toFixed(1), beats: heard.beats.length }); }
  else player.removeAttribute('src');
};
const soundAgain = (hash) => { if (hash !== (sound?.hash || '')) takeSound(...(heardSounds.get(hash) ?? [null])); };
const giveSound = async (file) => {
  say(T('i_sound_wait'));
  let path = '';
  try { ({ path } = await upload(file)); } catch { say(T('i_sound_lost'), true); return; }
  const answer = await D.ask(server.sound, { path, name: file.name });
  if (!told(answer)) return;
  say('');
  takeSound(answer.sound, file.name);
  changed();
};
const zone = D.fileZone('interpolate-sound', T('i_sound_add'), 'audio/*,video/*', giveSound);
D.takesFiles(zone, giveSound);
onPaint.push(() => {
  zone.hidden = !!sound;
  soundBox.hidden = !sound;
  react.set(spec.react);
  drawWave();
});
