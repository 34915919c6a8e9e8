-- Workflows, policy, retries of calls and batches: what is done before, during and after a call, what
-- may stop it, and how many are made at once.

-- One HTTP call of an agent's workflow. position: the order within a phase. headers: a JSON object,
-- sealed. query, static_parameters, save: JSON objects; body: a JSON value with templates in it;
-- parameters: a JSON Schema. live_name: its name until it is deleted, so that a name is free again
-- then. A post_call function is a destination, too, of the same id.
CREATE TABLE IF NOT EXISTS functions (
  function_id       BINARY(16)   NOT NULL PRIMARY KEY,
  workspace_id      BINARY(16)   NOT NULL,
  agent_id          BINARY(16)   NOT NULL,
  phase             ENUM('pre_call','during_call','post_call') NOT NULL,
  position          INT UNSIGNED NOT NULL,
  name              VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  live_name         VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NULL,
  description       VARCHAR(1000) NOT NULL DEFAULT '',
  method            ENUM('GET','POST','PUT','PATCH','DELETE') NOT NULL DEFAULT 'POST',
  url               VARCHAR(2048) NOT NULL,
  headers           MEDIUMBLOB   NULL,
  query             TEXT         NULL,
  body              MEDIUMTEXT   NULL,
  parameters        MEDIUMTEXT   NULL,
  static_parameters TEXT         NULL,
  timeout_ms        INT UNSIGNED NOT NULL,
  retries           TINYINT UNSIGNED NOT NULL DEFAULT 0,
  on_error          ENUM('continue','abort','disallow') NOT NULL DEFAULT 'continue',
  on_missing        ENUM('empty','error') NOT NULL DEFAULT 'empty',
  save              TEXT         NULL,
  run_when          ENUM('completed','failed','always') NOT NULL DEFAULT 'always',
  say_while_running VARCHAR(500) NOT NULL DEFAULT '',
  say_on_error      VARCHAR(500) NOT NULL DEFAULT '',
  enabled           BOOLEAN      NOT NULL DEFAULT TRUE,
  created_at        DATETIME(6)  NOT NULL,
  updated_at        DATETIME(6)  NOT NULL,
  deleted_at        DATETIME(6)  NULL,
  UNIQUE KEY name (agent_id, live_name),
  KEY of_agent (agent_id, phase, position),
  KEY of_workspace (workspace_id, created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Every request that was made for a function. call_id NULL: a try-out with a sample. attempt: the
-- call's, for pre_call and during_call; the delivery's for post_call. request: a JSON object without
-- secrets. error: NULL when it succeeded. saved: a JSON object of variables.
CREATE TABLE IF NOT EXISTS function_runs (
  run_id            BINARY(16)   NOT NULL PRIMARY KEY,
  workspace_id      BINARY(16)   NOT NULL,
  call_id           BINARY(16)   NULL,
  function_id       BINARY(16)   NOT NULL,
  phase             ENUM('pre_call','during_call','post_call') NOT NULL,
  attempt           INT UNSIGNED NOT NULL,
  tried             TINYINT UNSIGNED NOT NULL DEFAULT 1,
  trial             BOOLEAN      NOT NULL DEFAULT FALSE,
  started_at        DATETIME(6)  NOT NULL,
  duration_ms       INT UNSIGNED NOT NULL,
  request           MEDIUMTEXT   NOT NULL,
  status            SMALLINT UNSIGNED NULL,
  error             VARCHAR(40)  CHARACTER SET ascii COLLATE ascii_bin NULL,
  detail            VARCHAR(500) NULL,
  response          MEDIUMBLOB   NULL,
  saved             MEDIUMTEXT   NULL,
  KEY of_call (call_id, started_at),
  KEY of_function (function_id, started_at),
  KEY age (workspace_id, started_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Numbers that must not be called.
CREATE TABLE IF NOT EXISTS suppressed_numbers (
  workspace_id      BINARY(16)   NOT NULL,
  contact_number    VARCHAR(20)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  source            ENUM('manual','contact','complaint','registry') NOT NULL DEFAULT 'manual',
  note              VARCHAR(200) NOT NULL DEFAULT '',
  created_at        DATETIME(6)  NOT NULL,
  PRIMARY KEY (workspace_id, contact_number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- How often an agent dialled on a day of the workspace's time zone; void attempts do not count.
CREATE TABLE IF NOT EXISTS dial_days (
  workspace_id      BINARY(16)   NOT NULL,
  day               DATE         NOT NULL,
  agent_id          BINARY(16)   NOT NULL,
  simulated         BOOLEAN      NOT NULL,
  dials             INT UNSIGNED NOT NULL,
  PRIMARY KEY (workspace_id, day, agent_id, simulated),
  KEY age (day)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Agents whose settings changed: their calls that policy holds are looked at anew.
CREATE TABLE IF NOT EXISTS rechecks (
  agent_id          BINARY(16)   NOT NULL PRIMARY KEY,
  workspace_id      BINARY(16)   NOT NULL,
  wanted_at         DATETIME(6)  NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Calls that were made in one act. total: the calls; disallowed: those of them that policy refused
-- at once; refused: the contacts that made none.
CREATE TABLE IF NOT EXISTS batches (
  batch_id          BINARY(16)   NOT NULL PRIMARY KEY,
  workspace_id      BINARY(16)   NOT NULL,
  agent_id          BINARY(16)   NOT NULL,
  name              VARCHAR(200) NOT NULL DEFAULT '',
  test              BOOLEAN      NOT NULL,
  status            ENUM('running','paused','cancelled') NOT NULL DEFAULT 'running',
  total             INT UNSIGNED NOT NULL,
  disallowed        INT UNSIGNED NOT NULL,
  refused           INT UNSIGNED NOT NULL,
  scheduled_at      DATETIME(6)  NOT NULL,
  expires_at        DATETIME(6)  NULL,
  idempotency_key   VARBINARY(255) NULL,
  fingerprint       BINARY(32)   NULL,
  created_at        DATETIME(6)  NOT NULL,
  updated_at        DATETIME(6)  NOT NULL,
  UNIQUE KEY idempotency (workspace_id, test, idempotency_key),
  KEY listed (workspace_id, created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS batch_refusals (
  batch_id          BINARY(16)   NOT NULL,
  line              INT UNSIGNED NOT NULL,
  message           VARCHAR(500) NOT NULL,
  PRIMARY KEY (batch_id, line)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- batched: drawn after calls that were made one by one. expiry_due: expires_at until that was acted
-- upon. variables: a JSON object, what pre_call functions saved; prepared_for: the attempt that they
-- last ran for, 0: none; prepare_fence: grows with each claim to run them.
ALTER TABLE calls
  ADD COLUMN IF NOT EXISTS batch_id      BINARY(16)   NULL,
  ADD COLUMN IF NOT EXISTS batched       BOOLEAN      NOT NULL DEFAULT FALSE,
  ADD COLUMN IF NOT EXISTS expires_at    DATETIME(6)  NULL,
  ADD COLUMN IF NOT EXISTS expiry_due    DATETIME(6)  NULL,
  ADD COLUMN IF NOT EXISTS variables     MEDIUMTEXT   NULL,
  ADD COLUMN IF NOT EXISTS prepared_for  INT UNSIGNED NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS prepare_fence INT UNSIGNED NOT NULL DEFAULT 0,
  ADD INDEX IF NOT EXISTS of_batch (batch_id, status, created_at),
  ADD INDEX IF NOT EXISTS expiry (expiry_due),
  ADD INDEX IF NOT EXISTS turn (agent_id, status, batched, due_at),
  DROP INDEX IF EXISTS due;

-- by_status: what listed_status had, and with the call's length all that usage counts.
ALTER TABLE calls
  ADD INDEX IF NOT EXISTS by_status (workspace_id, status, created_at, call_id, duration_seconds),
  DROP INDEX IF EXISTS listed_status;

-- What a day came to, when it was over and so were all its calls; due_at: when to look whether it is,
-- NULL: it is, and this is what its rows count. Retention deletes the rows of days that it takes
-- something of.
CREATE TABLE IF NOT EXISTS usage_closed (
  workspace_id      BINARY(16)   NOT NULL,
  day               DATE         NOT NULL,
  due_at            DATETIME(6)  NULL,
  calls             INT UNSIGNED NOT NULL DEFAULT 0,
  completed         INT UNSIGNED NOT NULL DEFAULT 0,
  failed            INT UNSIGNED NOT NULL DEFAULT 0,
  cancelled         INT UNSIGNED NOT NULL DEFAULT 0,
  disallowed        INT UNSIGNED NOT NULL DEFAULT 0,
  talk_seconds      BIGINT UNSIGNED NOT NULL DEFAULT 0,
  events            INT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (workspace_id, day),
  KEY due (due_at),
  KEY days (day)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- listed_endpoint: the deliveries of an endpoint in one state, and in all by one look for each.
ALTER TABLE deliveries
  ADD INDEX IF NOT EXISTS listed_endpoint (destination_id, state, created_at),
  DROP INDEX IF EXISTS listed_destination;

-- contact_number: NULL for dials that don't count against the number's limits. dial_day: the row of
-- dial_days that counts it, or NULL.
ALTER TABLE call_attempts
  ADD COLUMN IF NOT EXISTS contact_number VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN IF NOT EXISTS dial_day       DATE        NULL,
  ADD INDEX IF NOT EXISTS dialled (workspace_id, contact_number, fenced_at);

-- calls_per_second NULL: as fast as it takes them; paced_until: the next dial is not before.
-- deleted_at: no agent may use it any more; calls under way still do.
ALTER TABLE carriers
  ADD COLUMN IF NOT EXISTS concurrent_calls INT UNSIGNED NULL,
  ADD COLUMN IF NOT EXISTS calls_per_second INT UNSIGNED NULL,
  ADD COLUMN IF NOT EXISTS paced_until      DATETIME(6)  NULL,
  ADD COLUMN IF NOT EXISTS deleted_at       DATETIME(6)  NULL;

-- number_types: which may be called. signing_secret: sealed; signs requests of functions.
ALTER TABLE workspaces
  ADD COLUMN IF NOT EXISTS number_types            SET('mobile','landline') NOT NULL DEFAULT 'mobile,landline',
  ADD COLUMN IF NOT EXISTS signing_secret          VARBINARY(512) NULL,
  ADD COLUMN IF NOT EXISTS previous_signing_secret VARBINARY(512) NULL,
  ADD COLUMN IF NOT EXISTS previous_signing_until  DATETIME(6) NULL;

-- agent_id: whose events a function gets; NULL for endpoints. paced_until: with a rate_per_second, no
-- request is started before, by any dispatcher.
ALTER TABLE destinations
  ADD COLUMN IF NOT EXISTS agent_id    BINARY(16)  NULL,
  ADD COLUMN IF NOT EXISTS paced_until DATETIME(6) NULL;
