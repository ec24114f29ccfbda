BEGIN TRANSACTION;
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
);
INSERT INTO "runs" VALUES(1,'e60095368b-R12','b7b8c8e491b2edd08993bf47bf78747cd1e6f7c9fefe21d4ec067d6e43f8cbfd','2026-02-02 03:00:00.000000','2026-02-02 03:00:00.000000','main','1a2b3c','infinitetalk',1280,720,4,'Q6_K',256,81,9,'NVIDIA GeForce RTX 5090','{"run_id":"e60095368b-R12","prompt_id":"e60095368b-P9","source":"monday.log","stream":null,"line":12,"end_line":23,"mode":"infinitetalk","status":"completed","audio_frames":427,"requested_frames":null,"audio_s":null,"width":1280,"height":720,"steps":4,"speakers":null,"announced_windows":6,"observed_windows":6,"expected_windows":6,"window_frames":81,"motion_frames":9,"drop_frames":0,"stride":72,"schedule_observed":true,"aligned":false,"missing_frames":14,"mirrored":false,"lora_rank":256,"quantization":"Q6_K","quantization_source":"option","peak_allocated_gib":15.0,"peak_reserved_gib":16.0,"peak_covers":"stage","peak_line":22,"wrapper_era":"2025-09-06..2025-12-01","swapped_blocks":null,"sampling_s":120.0,"decode_s":12.0,"total_s":132.0,"prompt_s":80.36,"gpu":"NVIDIA GeForce RTX 5090","total_vram_gib":31.8427734375,"comfyui_version":"0.3.64","torch_version":"2.8.0+cu128","band_low_gib":14.55,"band_high_gib":15.45}');
INSERT INTO "runs" VALUES(2,'a7f5a68a55-R12','a43c30b5e9724a09dd388c4c89672579eab4cbb8316ef4f1119ef9030ac8cb0f','2026-02-03 03:00:00.000000','2026-02-03 03:00:00.000000','main','4d5e6f','infinitetalk',1280,720,4,'Q6_K',256,81,9,'NVIDIA GeForce RTX 5090','{"run_id":"a7f5a68a55-R12","prompt_id":"a7f5a68a55-P9","source":"tuesday.log","stream":null,"line":12,"end_line":22,"mode":"infinitetalk","status":"completed","audio_frames":369,"requested_frames":null,"audio_s":null,"width":1280,"height":720,"steps":4,"speakers":null,"announced_windows":6,"observed_windows":5,"expected_windows":5,"window_frames":81,"motion_frames":9,"drop_frames":0,"stride":72,"schedule_observed":true,"aligned":true,"missing_frames":0,"mirrored":false,"lora_rank":256,"quantization":"Q6_K","quantization_source":"option","peak_allocated_gib":15.0,"peak_reserved_gib":16.0,"peak_covers":"stage","peak_line":21,"wrapper_era":"2025-09-06..2025-12-01","swapped_blocks":null,"sampling_s":104.00000000000003,"decode_s":9.999999999999982,"total_s":114.0,"prompt_s":80.36,"gpu":"NVIDIA GeForce RTX 5090","total_vram_gib":31.8427734375,"comfyui_version":"0.3.64","torch_version":"2.8.0+cu128","band_low_gib":14.55,"band_high_gib":15.45}');
CREATE TABLE schema_version (version INTEGER NOT NULL);
INSERT INTO "schema_version" VALUES(1);
CREATE INDEX runs_in_order ON runs (at, number);
CREATE INDEX runs_by_label ON runs (label);
COMMIT;
