BEGIN TRANSACTION;
CREATE TABLE findings (
  run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  facts TEXT NOT NULL,
  PRIMARY KEY (run_id, place)
);
INSERT INTO "findings" VALUES('e60095368b-R12',0,'{"rule":"AUD001","name":"audio-shortfall","severity":"error","run_id":"e60095368b-R12","source":"monday.log","line":18,"message":"14 frames (0.56 s) are missing: frames 427 to 440 of the video (0:17.08 to 0:17.64) are driven by encoded silence, not by the audio.","observed":"14 frames missing (have 427, need 441)","expected":"0 frames missing","fix":"Cut to 369 frames (14.76 s), the largest aligned count the audio fills; or render 441 frames and cut the video back to 427; or supply 0.56 s more audio for 441 frames."}');
INSERT INTO "findings" VALUES('a7f5a68a55-R12',0,'{"rule":"AUD002","name":"context-padding","severity":"info","run_id":"a7f5a68a55-R12","source":"tuesday.log","line":17,"message":"The padding warning is harmless: no frame is missing, only context is padded.","observed":"3 frames padded, 0 missing","expected":"0 frames missing","fix":"Nothing to change."}');
CREATE TABLE measurements (
  run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  metric TEXT NOT NULL,
  unit TEXT NOT NULL,
  basis TEXT,
  value DOUBLE PRECISION NOT NULL,
  figures INTEGER NOT NULL,
  estimated BOOLEAN NOT NULL,
  PRIMARY KEY (run_id, metric)
);
INSERT INTO "measurements" VALUES('e60095368b-R12','s_per_step','s',NULL,5.0,23,0);
INSERT INTO "measurements" VALUES('e60095368b-R12','window_s','s',NULL,22.0,6,0);
INSERT INTO "measurements" VALUES('e60095368b-R12','total_s_per_window','s',NULL,22.0,6,0);
INSERT INTO "measurements" VALUES('e60095368b-R12','prompt_s','s','6 windows, models loaded',80.36,1,0);
INSERT INTO "measurements" VALUES('e60095368b-R12','peak_allocated_gib','GiB','stage',15.0,1,0);
INSERT INTO "measurements" VALUES('e60095368b-R12','peak_reserved_gib','GiB','stage',16.0,1,0);
INSERT INTO "measurements" VALUES('e60095368b-R12','missing_frames','frames','427 frames of audio',14.0,1,0);
INSERT INTO "measurements" VALUES('e60095368b-R12','observed_windows','windows','427 frames of audio',6.0,1,0);
INSERT INTO "measurements" VALUES('a7f5a68a55-R12','s_per_step','s',NULL,5.2,19,0);
INSERT INTO "measurements" VALUES('a7f5a68a55-R12','window_s','s',NULL,22.8,5,0);
INSERT INTO "measurements" VALUES('a7f5a68a55-R12','total_s_per_window','s',NULL,22.8,5,0);
INSERT INTO "measurements" VALUES('a7f5a68a55-R12','prompt_s','s','5 windows, models loaded',80.36,1,0);
INSERT INTO "measurements" VALUES('a7f5a68a55-R12','peak_allocated_gib','GiB','stage',15.0,1,0);
INSERT INTO "measurements" VALUES('a7f5a68a55-R12','peak_reserved_gib','GiB','stage',16.0,1,0);
INSERT INTO "measurements" VALUES('a7f5a68a55-R12','missing_frames','frames','369 frames of audio',0.0,1,0);
INSERT INTO "measurements" VALUES('a7f5a68a55-R12','observed_windows','windows','369 frames of audio',5.0,1,0);
INSERT INTO "measurements" VALUES('0130d3b7cc-R12','s_per_step','s',NULL,5.0,3,0);
INSERT INTO "measurements" VALUES('0130d3b7cc-R12','window_s','s',NULL,22.0,1,0);
INSERT INTO "measurements" VALUES('0130d3b7cc-R12','total_s_per_window','s',NULL,22.0,1,0);
INSERT INTO "measurements" VALUES('0130d3b7cc-R12','prompt_s','s','1 window, models loaded',80.36,1,0);
INSERT INTO "measurements" VALUES('0130d3b7cc-R12','overhead_s','s','1 window, models loaded',58.36,1,0);
INSERT INTO "measurements" VALUES('0130d3b7cc-R12','peak_allocated_gib','GiB','stage',15.0,1,0);
INSERT INTO "measurements" VALUES('0130d3b7cc-R12','peak_reserved_gib','GiB','stage',16.0,1,0);
INSERT INTO "measurements" VALUES('0130d3b7cc-R12','missing_frames','frames','81 frames of audio',0.0,1,0);
INSERT INTO "measurements" VALUES('0130d3b7cc-R12','observed_windows','windows','81 frames of audio',1.0,1,0);
CREATE TABLE runs (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id TEXT NOT NULL UNIQUE,
  fingerprint TEXT NOT NULL UNIQUE,
  at TIMESTAMP NOT NULL,
  added_at TIMESTAMP NOT NULL,
  label TEXT,
  "commit" TEXT,
  mode TEXT,
  width INTEGER,
  height INTEGER,
  steps INTEGER,
  quantization TEXT,
  lora_rank INTEGER,
  window_frames INTEGER,
  motion_frames INTEGER,
  gpu TEXT,
  facts TEXT NOT NULL
, verdict TEXT);
INSERT INTO "runs" VALUES(1,'e60095368b-R12','c1ad3d7721babcf52d6d82d66a73124bf4a6707914b9e461caeaea4232c676de','2026-02-02 03:00:00.000000','2026-02-02 03:00:00.000000','main','1a2b3c','infinitetalk',1280,720,4,'Q6_K',256,81,9,'NVIDIA GeForce RTX 5090','{"run_id":"e60095368b-R12","prompt_id":"e60095368b-P9","source":"monday.log","stream":null,"line":12,"end_line":23,"mode":"infinitetalk","status":"completed","audio_frames":427,"requested_frames":null,"audio_s":null,"width":1280,"height":720,"steps":4,"speakers":null,"shortest_frames":null,"announced_windows":6,"observed_windows":6,"expected_windows":6,"window_frames":81,"motion_frames":9,"drop_frames":0,"stride":72,"schedule_observed":true,"aligned":false,"missing_frames":14,"mirrored":false,"lora_rank":256,"quantization":"Q6_K","quantization_source":"option","peak_allocated_gib":15.0,"peak_reserved_gib":16.0,"peak_covers":"stage","peak_line":22,"wrapper_era":"2025-09-06..2025-12-01","swapped_blocks":null,"sampling_s":120.0,"decode_s":12.0,"total_s":132.0,"prompt_s":80.36,"gpu":"NVIDIA GeForce RTX 5090","total_vram_gib":31.8427734375,"comfyui_version":"0.3.64","torch_version":"2.8.0+cu128","band_low_gib":14.55,"band_high_gib":15.45}','fail');
INSERT INTO "runs" VALUES(2,'a7f5a68a55-R12','061a10a2e21b71dbc8e3f33b78249b081a4d9a46b0b29b566876bb84ca0a5963','2026-02-03 03:00:00.000000','2026-02-03 03:00:00.000000','main','4d5e6f','infinitetalk',1280,720,4,'Q6_K',256,81,9,'NVIDIA GeForce RTX 5090','{"run_id":"a7f5a68a55-R12","prompt_id":"a7f5a68a55-P9","source":"tuesday.log","stream":null,"line":12,"end_line":22,"mode":"infinitetalk","status":"completed","audio_frames":369,"requested_frames":null,"audio_s":null,"width":1280,"height":720,"steps":4,"speakers":null,"shortest_frames":null,"announced_windows":6,"observed_windows":5,"expected_windows":5,"window_frames":81,"motion_frames":9,"drop_frames":0,"stride":72,"schedule_observed":true,"aligned":true,"missing_frames":0,"mirrored":false,"lora_rank":256,"quantization":"Q6_K","quantization_source":"option","peak_allocated_gib":15.0,"peak_reserved_gib":16.0,"peak_covers":"stage","peak_line":21,"wrapper_era":"2025-09-06..2025-12-01","swapped_blocks":null,"sampling_s":104.00000000000003,"decode_s":9.999999999999982,"total_s":114.0,"prompt_s":80.36,"gpu":"NVIDIA GeForce RTX 5090","total_vram_gib":31.8427734375,"comfyui_version":"0.3.64","torch_version":"2.8.0+cu128","band_low_gib":14.55,"band_high_gib":15.45}','pass');
INSERT INTO "runs" VALUES(3,'0130d3b7cc-R12','9dec2a5b9225773091d05f40b3bd4050617b89645d3f7f39c9a453bfa3b67419','2026-02-04 03:00:08.000000','2026-02-05 03:00:00.000000','main','7a8b9c','infinitetalk',1280,720,4,'Q6_K',256,81,9,'NVIDIA GeForce RTX 5090','{"run_id":"0130d3b7cc-R12","prompt_id":"0130d3b7cc-P9","source":"wednesday.log","stream":null,"line":12,"end_line":22,"mode":"infinitetalk","status":"completed","audio_frames":81,"requested_frames":null,"audio_s":null,"width":1280,"height":720,"steps":4,"speakers":null,"shortest_frames":null,"announced_windows":1,"observed_windows":1,"expected_windows":1,"window_frames":81,"motion_frames":9,"drop_frames":0,"stride":72,"schedule_observed":false,"aligned":true,"missing_frames":0,"mirrored":null,"lora_rank":256,"quantization":"Q6_K","quantization_source":"option","peak_allocated_gib":15.0,"peak_reserved_gib":16.0,"peak_covers":"stage","peak_line":21,"wrapper_era":"2025-08-20..2025-12-01","swapped_blocks":null,"sampling_s":20.0,"decode_s":2.0,"total_s":22.0,"prompt_s":80.36,"gpu":"NVIDIA GeForce RTX 5090","total_vram_gib":31.8427734375,"comfyui_version":"0.3.64","torch_version":"2.8.0+cu128","band_low_gib":14.55,"band_high_gib":15.45}','pass');
CREATE TABLE schema_version (version INTEGER NOT NULL);
INSERT INTO "schema_version" VALUES(2);
CREATE INDEX runs_in_order ON runs (at, number);
CREATE INDEX runs_by_label ON runs (label);
COMMIT;
