"""A sound is heard where it is, hostile files get a sentence, and films carry it exactly as long as they are."""

import av
import numpy as np
import pytest
from sounds import RATE, write_beats, write_wav

from imagen_demo.errors import UserError
from imagen_demo.media import audio, video
from imagen_demo.media.audio import MOMENTS, read_sound


def test_loudness_and_beats_are_where_they_are(tmp_path):
    sound = read_sound(write_beats(tmp_path / "a.wav", beats=(0.5, 1.0, 2.0)))
    assert sound.seconds == pytest.approx(3, abs=0.01) and len(sound.hash) == 16
    assert len(sound.beats) == 3 and np.abs(np.array(sound.beats) - (0.5, 1.0, 2.0)).max() < 0.04
    at = {second: float(sound.loudness[round(second * MOMENTS)]) for second in (0.3, 0.53, 1.7, 2.03)}
    assert at[0.53] > 0.8 and at[2.03] > 0.8 and at[0.3] < 0.4
    drive = sound.drive()
    assert drive.mean() == pytest.approx(1) and drive.min() > 0
    assert drive[round(2.03 * MOMENTS)] > 2 * drive[round(1.8 * MOMENTS)]


def test_a_beat_at_the_very_beginning_is_one(tmp_path):
    sound = read_sound(write_beats(tmp_path / "a.wav", beats=(0.0, 0.5, 1.5)))
    assert len(sound.beats) == 3 and np.abs(np.array(sound.beats) - (0.0, 0.5, 1.5)).max() < 0.04


def test_a_file_that_begins_within_a_song_keeps_its_beats(tmp_path):
    t, beats = np.arange(6 * RATE) / RATE, np.arange(0.25, 6, 0.5)
    song = 0.04 * np.random.default_rng(0).standard_normal(len(t))
    song += sum(0.07 * np.sin(2 * np.pi * tone * t) for tone in (110, 220, 331, 662, 1320, 2637, 5000))
    for beat in beats:
        since = t[t >= beat] - beat
        song[t >= beat] += 0.2 * np.exp(-since * 30) * np.sin(2 * np.pi * 70 * since)
    found = np.array(read_sound(write_wav(tmp_path / "a.wav", song)).beats)
    assert all(np.abs(found - beat).min() < 0.05 for beat in beats)
    assert len(found) <= len(beats) + 2  # its beginning, too


def test_a_steady_tone_has_no_beats(tmp_path):
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE)
    assert len(read_sound(write_wav(tmp_path / "a.wav", tone)).beats) <= 1  # its beginning


def encoded(source, out, codec, frames=False):
    """The file in another format; with ``frames``, a film that has it as its sound."""
    if frames:
        pictures = (np.full((16, 16, 3), n, np.uint8) for n in range(30))
        video.write_film(pictures, out, 10, "mp4", sound=read_sound(source), seconds=3.0)
        return out
    with av.open(str(source)) as read, av.open(str(out), "w") as write:
        stream = write.add_stream(codec, rate=44_100)
        resampler = av.AudioResampler(format=stream.codec_context.format, layout="stereo", rate=44_100)
        for frame in read.decode(audio=0):
            for piece in resampler.resample(frame):
                piece.pts = None
                write.mux(stream.encode(piece))
        write.mux(stream.encode())
    return out


@pytest.mark.parametrize(
    ("name", "codec"), [("a.flac", "flac"), ("a.mp3", "libmp3lame"), ("a.m4a", "aac"), ("a.mp4", "")]
)
def test_sounds_of_any_format_and_films_are_heard(tmp_path, name, codec):
    source = write_beats(tmp_path / "a.wav")
    sound = read_sound(encoded(source, tmp_path / name, codec, frames=not codec))
    assert sound.seconds == pytest.approx(3, abs=0.15)
    assert len(sound.beats) == 3 and np.abs(np.array(sound.beats) - (0.5, 1.0, 2.0)).max() < 0.1


def test_hostile_files_get_a_sentence(tmp_path, monkeypatch):
    good = write_beats(tmp_path / "good.wav").read_bytes()
    secret = write_wav(tmp_path / "secret.wav", 0.5 * np.sin(np.arange(RATE)))
    silent_film = tmp_path / "film.mp4"
    video.write_film((np.zeros((16, 16, 3), np.uint8) for _ in range(3)), silent_film, 10)
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    files = {
        "empty.mp3": b"", "text.mp3": b"hello " * 1000, "cut.wav": good[:50], "noise.ogg": bytes(range(256)) * 500,
        "list.m3u8": playlist.encode(), "list.mp3": playlist.encode(),
        "cat.txt": f"ffconcat version 1.0\nfile {secret}\n".encode(),
        "film.mp4": silent_film.read_bytes(),
    }  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UserError, match=name):
            read_sound(tmp_path / name)
    write_wav(tmp_path / "quiet.wav", np.zeros(RATE))
    with pytest.raises(UserError, match=r"quiet\.wav is silent"):
        read_sound(tmp_path / "quiet.wav")
    monkeypatch.setattr(audio, "MAX_SECONDS", 2.0)
    with pytest.raises(UserError, match="longer than"):
        read_sound(tmp_path / "good.wav")
    monkeypatch.setattr(audio, "MAX_BYTES", 1000)
    with pytest.raises(UserError, match="too large"):
        read_sound(tmp_path / "good.wav")


def test_a_damaged_end_is_left_out(tmp_path):
    source = encoded(write_beats(tmp_path / "a.wav"), tmp_path / "a.flac", "flac")
    data = source.read_bytes()
    (tmp_path / "cut.flac").write_bytes(data[: len(data) * 2 // 3] + b"\0" * 200)
    assert 1 < read_sound(tmp_path / "cut.flac").seconds < 3


@pytest.mark.parametrize(("format", "codec"), [("mp4", "aac"), ("webm", "opus")])
@pytest.mark.parametrize("seconds", [2.0, 4.0])
def test_films_carry_the_sound_as_long_as_they_are(tmp_path, format, codec, seconds):
    sound = read_sound(write_beats(tmp_path / "a.wav"))  # 3 s
    frames = (np.full((16, 16, 3), n, np.uint8) for n in range(round(seconds * 20)))
    video.write_film(frames, tmp_path / "v", 20, format, size=32, sound=sound, seconds=seconds)
    with av.open(str(tmp_path / "v")) as container:
        assert container.streams.audio[0].codec_context.name == codec
        assert container.duration / 1e6 == pytest.approx(seconds, abs=0.05)
        parts = [(frame.time, frame.to_ndarray()) for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    assert parts[-1][0] + parts[-1][1].shape[1] / rate == pytest.approx(seconds, abs=0.05)
    heard = np.concatenate([part[0] for _, part in parts])[round(max(0, -parts[0][0]) * rate) :]
    power = np.array([np.square(piece).mean() for piece in np.array_split(heard, round(seconds * 10))])
    assert power[5] > 5 * power[4] and power[10] > 5 * power[9]  # the beats at 0.5 and 1 s
    assert power[-1] < 0.1 * power.max()  # faded out, or silent after its end


def test_the_film_of_a_sound_is_the_same_every_time(tmp_path):
    sound = read_sound(write_beats(tmp_path / "a.wav"))
    for name in "ab":
        frames = (np.full((16, 16, 3), n, np.uint8) for n in range(20))
        video.write_film(frames, tmp_path / name, 10, "mp4", sound=sound, seconds=2.0)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
