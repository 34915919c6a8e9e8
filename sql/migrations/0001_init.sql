-- The tables of a call's life: who may ask for it, the call, its attempts, its events, and where
-- they go. Ids are UUIDv7 in BINARY(16); times are UTC; names compare byte by byte unless they are
-- a person's words.

CREATE TABLE IF NOT EXISTS workspaces (
  workspace_id      BINARY(16)   NOT NULL PRIMARY KEY,
  name              VARCHAR(200) NOT NULL,
  time_zone         VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'Asia/Kolkata',
  status            ENUM('active','suspended') NOT NULL DEFAULT 'active',
  created_at        DATETIME(6)  NOT NULL,
  updated_at        DATETIME(6)  NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- secret_hash: SHA-256 of the whole key. scopes: bit 0 calls, bit 1 manage.
CREATE TABLE IF NOT EXISTS api_keys (
  key_id            BINARY(16)   NOT NULL PRIMARY KEY,
  workspace_id      BINARY(16)   NOT NULL,
  secret_hash       BINARY(32)   NOT NULL,
  prefix            VARCHAR(24)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name              VARCHAR(200) NOT NULL DEFAULT '',
  test              BOOLEAN      NOT NULL DEFAULT FALSE,
  scopes            TINYINT UNSIGNED NOT NULL DEFAULT 3,
  created_at        DATETIME(6)  NOT NULL,
  last_used_at      DATETIME(6)  NULL,
  revoked_at        DATETIME(6)  NULL,
  UNIQUE KEY secret (secret_hash),
  KEY of_workspace (workspace_id, created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- secret: sealed under the key file.
CREATE TABLE IF NOT EXISTS carriers (
  carrier_id        BINARY(16)   NOT NULL PRIMARY KEY,
  workspace_id      BINARY(16)   NOT NULL,
  kind              ENUM('simulator','http') NOT NULL,
  name              VARCHAR(200) NOT NULL DEFAULT '',
  url               VARCHAR(2048) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  secret            VARBINARY(512) NOT NULL,
  created_at        DATETIME(6)  NOT NULL,
  updated_at        DATETIME(6)  NOT NULL,
  KEY of_workspace (workspace_id, created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- carrier_id NULL: the simulator.
CREATE TABLE IF NOT EXISTS agents (
  agent_id          BINARY(16)   NOT NULL PRIMARY KEY,
  workspace_id      BINARY(16)   NOT NULL,
  name              VARCHAR(200) NOT NULL,
  prompt            MEDIUMTEXT   NOT NULL,
  greeting          TEXT         NOT NULL,
  language          VARCHAR(35)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'en-IN',
  voice             VARCHAR(100) NOT NULL DEFAULT '',
  carrier_id        BINARY(16)   NULL,
  from_number       VARCHAR(20)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  enabled           BOOLEAN      NOT NULL DEFAULT TRUE,
  start_delay_seconds   INT UNSIGNED NOT NULL DEFAULT 0,
  ring_timeout_seconds  INT UNSIGNED NOT NULL DEFAULT 45,
  max_duration_seconds  INT UNSIGNED NOT NULL DEFAULT 900,
  redial_on_unknown BOOLEAN      NOT NULL DEFAULT FALSE,
  created_at        DATETIME(6)  NOT NULL,
  updated_at        DATETIME(6)  NOT NULL,
  KEY of_workspace (workspace_id, created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- due_at: when the dispatcher next looks at a scheduled call. origin: what an Idempotency-Key is
-- unique in, besides the workspace. attempts: how many were fenced, the void ones too.
CREATE TABLE IF NOT EXISTS calls (
  call_id           BINARY(16)   NOT NULL PRIMARY KEY,
  workspace_id      BINARY(16)   NOT NULL,
  agent_id          BINARY(16)   NOT NULL,
  status            ENUM('scheduled','initiated','ringing','in_progress','completed','failed','cancelled','disallowed') NOT NULL,
  test              BOOLEAN      NOT NULL,
  contact_number    VARCHAR(20)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  contact_name      VARCHAR(200) NULL,
  contact_email     VARCHAR(254) NULL,
  additional_info   MEDIUMTEXT   NULL,
  scheduled_at      DATETIME(6)  NOT NULL,
  due_at            DATETIME(6)  NOT NULL,
  hold_reason       VARCHAR(40)  CHARACTER SET ascii COLLATE ascii_bin NULL,
  attempts          INT UNSIGNED NOT NULL DEFAULT 0,
  voids             INT UNSIGNED NOT NULL DEFAULT 0,
  initiated_at      DATETIME(6)  NULL,
  answered_at       DATETIME(6)  NULL,
  completed_at      DATETIME(6)  NULL,
  cancelled_at      DATETIME(6)  NULL,
  duration_seconds  INT UNSIGNED NULL,
  outcome           VARCHAR(100) NULL,
  summary           MEDIUMTEXT   NULL,
  transcript        MEDIUMTEXT   NULL,
  error_code        VARCHAR(40)  CHARACTER SET ascii COLLATE ascii_bin NULL,
  error_message     VARCHAR(500) NULL,
  origin            ENUM('api_live','api_test','hook') NOT NULL,
  idempotency_key   VARBINARY(255) NULL,
  fingerprint       BINARY(32)   NULL,
  created_at        DATETIME(6)  NOT NULL,
  updated_at        DATETIME(6)  NOT NULL,
  UNIQUE KEY idempotency (workspace_id, origin, idempotency_key),
  KEY due (agent_id, status, due_at),
  KEY listed (workspace_id, created_at),
  KEY listed_status (workspace_id, status, created_at),
  KEY listed_number (workspace_id, contact_number, created_at),
  KEY listed_agent (agent_id, created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- One dial. watch_at: when the dispatcher must look at it again (NULL once it is over): the end of
-- the placing lease, the next look-up, or silent_at, by when the carrier should have reported the
-- end. denials: look-ups in a row in which the carrier said that it never had it.
CREATE TABLE IF NOT EXISTS call_attempts (
  call_id           BINARY(16)   NOT NULL,
  n                 INT UNSIGNED NOT NULL,
  workspace_id      BINARY(16)   NOT NULL,
  carrier_id        BINARY(16)   NULL,
  kind              ENUM('simulator','http') NOT NULL,
  state             ENUM('fenced','placed','ringing','answered','ended','unknown','void') NOT NULL,
  token             BINARY(16)   NOT NULL,
  ref               VARCHAR(255) NULL,
  reason            VARCHAR(40)  CHARACTER SET ascii COLLATE ascii_bin NULL,
  detail            VARCHAR(500) NULL,
  denials           INT UNSIGNED NOT NULL DEFAULT 0,
  redial_on_unknown BOOLEAN      NOT NULL,
  fenced_at         DATETIME(6)  NOT NULL,
  silent_at         DATETIME(6)  NOT NULL,
  placed_at         DATETIME(6)  NULL,
  ringing_at        DATETIME(6)  NULL,
  answered_at       DATETIME(6)  NULL,
  ended_at          DATETIME(6)  NULL,
  watch_at          DATETIME(6)  NULL,
  PRIMARY KEY (call_id, n),
  UNIQUE KEY token (token),
  KEY watch (watch_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- What the simulator will call back, and when. due_at is pushed on by whoever takes it, so that a
-- step survives its sender.
CREATE TABLE IF NOT EXISTS simulator_steps (
  step_id           BINARY(16)   NOT NULL PRIMARY KEY,
  token             BINARY(16)   NOT NULL,
  due_at            DATETIME(6)  NOT NULL,
  body              MEDIUMBLOB   NOT NULL,
  KEY due (due_at),
  KEY of_attempt (token)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS events (
  event_id          BINARY(16)   NOT NULL PRIMARY KEY,
  workspace_id      BINARY(16)   NOT NULL,
  call_id           BINARY(16)   NULL,
  type              ENUM('call.initiated','call.completed','call.failed','call.disallowed') NOT NULL,
  body              MEDIUMBLOB   NOT NULL,
  created_at        DATETIME(6)  NOT NULL,
  KEY listed (workspace_id, created_at),
  KEY of_call (call_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- What deliveries go to. events: bit per event type. secret and previous_secret are sealed;
-- failures, good_since, held_until, hold_wait_ms: its health (lib/rules/health.h).
CREATE TABLE IF NOT EXISTS destinations (
  destination_id    BINARY(16)   NOT NULL PRIMARY KEY,
  workspace_id      BINARY(16)   NOT NULL,
  kind              ENUM('endpoint','function') NOT NULL,
  url               VARCHAR(2048) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  description       VARCHAR(500) NOT NULL DEFAULT '',
  events            INT UNSIGNED NOT NULL,
  secret            VARBINARY(512) NOT NULL,
  previous_secret   VARBINARY(512) NULL,
  previous_until    DATETIME(6)  NULL,
  timeout_seconds   INT UNSIGNED NOT NULL DEFAULT 15,
  max_in_flight     INT UNSIGNED NOT NULL DEFAULT 64,
  status            ENUM('enabled','paused','disabled','deleted') NOT NULL DEFAULT 'enabled',
  status_reason     VARCHAR(200) NULL,
  failures          INT UNSIGNED NOT NULL DEFAULT 0,
  good_since        DATETIME(6)  NOT NULL,
  held_until        DATETIME(6)  NULL,
  hold_wait_ms      INT UNSIGNED NOT NULL DEFAULT 0,
  created_at        DATETIME(6)  NOT NULL,
  updated_at        DATETIME(6)  NOT NULL,
  KEY of_workspace (workspace_id, kind, created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- One event on its way to one destination. position: the next entry of the retry schedule. round:
-- grows with a replay. owner and fence: who has it under way (owner 0: nobody), due_at then being
-- the end of the lease. lost: leases in a row that ran out.
CREATE TABLE IF NOT EXISTS deliveries (
  delivery_id       BINARY(16)   NOT NULL PRIMARY KEY,
  workspace_id      BINARY(16)   NOT NULL,
  destination_id    BINARY(16)   NOT NULL,
  event_id          BINARY(16)   NOT NULL,
  state             ENUM('waiting','succeeded','failed','dropped') NOT NULL DEFAULT 'waiting',
  position          SMALLINT UNSIGNED NOT NULL DEFAULT 0,
  round             SMALLINT UNSIGNED NOT NULL DEFAULT 0,
  attempts          INT UNSIGNED NOT NULL DEFAULT 0,
  lost              SMALLINT UNSIGNED NOT NULL DEFAULT 0,
  owner             BIGINT UNSIGNED NOT NULL DEFAULT 0,
  fence             INT UNSIGNED NOT NULL DEFAULT 0,
  due_at            DATETIME(6)  NOT NULL,
  last_status       SMALLINT UNSIGNED NULL,
  last_error        VARCHAR(40)  CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at        DATETIME(6)  NOT NULL,
  updated_at        DATETIME(6)  NOT NULL,
  UNIQUE KEY once (event_id, destination_id),
  KEY due (destination_id, state, due_at, owner)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Every request that was made. fence is the delivery's at that time: unique per request.
CREATE TABLE IF NOT EXISTS delivery_attempts (
  delivery_id       BINARY(16)   NOT NULL,
  fence             INT UNSIGNED NOT NULL,
  workspace_id      BINARY(16)   NOT NULL,
  started_at        DATETIME(6)  NOT NULL,
  duration_ms       INT UNSIGNED NOT NULL,
  status            SMALLINT UNSIGNED NULL,
  error             VARCHAR(40)  CHARACTER SET ascii COLLATE ascii_bin NULL,
  detail            VARCHAR(200) NULL,
  response          BLOB         NULL,
  PRIMARY KEY (delivery_id, fence)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
