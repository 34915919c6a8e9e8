-- People and what they may do, inbound hooks, the limits of rates, replays, mail to be sent, and what
-- lists of deliveries are read by.

-- email: ASCII letters in lower case. password: scrypt, with its parameters; NULL: none yet.
CREATE TABLE IF NOT EXISTS users (
  user_id           BINARY(16)   NOT NULL PRIMARY KEY,
  email             VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  name              VARCHAR(200) NOT NULL DEFAULT '',
  password          VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NULL,
  status            ENUM('active','disabled') NOT NULL DEFAULT 'active',
  created_at        DATETIME(6)  NOT NULL,
  updated_at        DATETIME(6)  NOT NULL,
  UNIQUE KEY email (email)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS members (
  workspace_id      BINARY(16)   NOT NULL,
  user_id           BINARY(16)   NOT NULL,
  role              ENUM('viewer','admin','owner') NOT NULL,
  created_at        DATETIME(6)  NOT NULL,
  updated_at        DATETIME(6)  NOT NULL,
  PRIMARY KEY (workspace_id, user_id),
  KEY of_user (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- token_hash: SHA-256 of what the mail brings. workspace_id NULL: an operator's, to make one.
CREATE TABLE IF NOT EXISTS invitations (
  invitation_id     BINARY(16)   NOT NULL PRIMARY KEY,
  workspace_id      BINARY(16)   NULL,
  email             VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  role              ENUM('viewer','admin','owner') NOT NULL,
  token_hash        BINARY(32)   NOT NULL,
  created_at        DATETIME(6)  NOT NULL,
  expires_at        DATETIME(6)  NOT NULL,
  accepted_at       DATETIME(6)  NULL,
  UNIQUE KEY token (token_hash),
  KEY of_workspace (workspace_id, created_at),
  KEY expiry (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Who signed up and has not yet followed the link that the mail brings: no user until then, so that
-- nobody holds an address that is not theirs.
CREATE TABLE IF NOT EXISTS sign_ups (
  token_hash        BINARY(32)   NOT NULL PRIMARY KEY,
  email             VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  name              VARCHAR(200) NOT NULL,
  password          VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  workspace_name    VARCHAR(200) NOT NULL,
  created_at        DATETIME(6)  NOT NULL,
  expires_at        DATETIME(6)  NOT NULL,
  KEY expiry (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- workspace_id: the one that the session works in; NULL: its user has none.
CREATE TABLE IF NOT EXISTS sessions (
  session_id        BINARY(16)   NOT NULL PRIMARY KEY,
  token_hash        BINARY(32)   NOT NULL,
  user_id           BINARY(16)   NOT NULL,
  workspace_id      BINARY(16)   NULL,
  created_at        DATETIME(6)  NOT NULL,
  last_used_at      DATETIME(6)  NOT NULL,
  expires_at        DATETIME(6)  NOT NULL,
  UNIQUE KEY token (token_hash),
  KEY of_user (user_id),
  KEY expiry (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- What lets somebody without a session choose a password: a new one, or the first.
CREATE TABLE IF NOT EXISTS user_tokens (
  token_hash        BINARY(32)   NOT NULL PRIMARY KEY,
  user_id           BINARY(16)   NOT NULL,
  created_at        DATETIME(6)  NOT NULL,
  expires_at        DATETIME(6)  NOT NULL,
  KEY of_user (user_id),
  KEY expiry (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Attempts slowed down. subject: SHA-256 of kind and of the address or the account's email.
CREATE TABLE IF NOT EXISTS slowdowns (
  subject           BINARY(32)   NOT NULL PRIMARY KEY,
  failures          INT UNSIGNED NOT NULL,
  allowed_at        DATETIME(6)  NOT NULL,
  updated_at        DATETIME(6)  NOT NULL,
  KEY age (updated_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Mail, written in the commit of what it tells; sent by the dispatcher. body: sealed, for it may
-- bring a token. owner and due_at as in deliveries.
CREATE TABLE IF NOT EXISTS mails (
  mail_id           BINARY(16)   NOT NULL PRIMARY KEY,
  recipient         VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  subject           VARCHAR(200) NOT NULL,
  body              MEDIUMBLOB   NOT NULL,
  attempts          INT UNSIGNED NOT NULL DEFAULT 0,
  owner             BIGINT UNSIGNED NOT NULL DEFAULT 0,
  due_at            DATETIME(6)  NOT NULL,
  created_at        DATETIME(6)  NOT NULL,
  KEY due (due_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- signing_secret: sealed; NULL: the token alone is enough.
CREATE TABLE IF NOT EXISTS inbound_hooks (
  hook_id           BINARY(16)   NOT NULL PRIMARY KEY,
  workspace_id      BINARY(16)   NOT NULL,
  name              VARCHAR(200) NOT NULL DEFAULT '',
  signing_secret    VARBINARY(512) NULL,
  status            ENUM('enabled','disabled','deleted') NOT NULL DEFAULT 'enabled',
  created_at        DATETIME(6)  NOT NULL,
  updated_at        DATETIME(6)  NOT NULL,
  last_used_at      DATETIME(6)  NULL,
  KEY of_workspace (workspace_id, created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- The tokens of a hook's URLs: the one in force (expires_at NULL), and those before it.
CREATE TABLE IF NOT EXISTS inbound_hook_tokens (
  token_hash        BINARY(32)   NOT NULL PRIMARY KEY,
  hook_id           BINARY(16)   NOT NULL,
  hint              VARCHAR(8)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at        DATETIME(6)  NOT NULL,
  expires_at        DATETIME(6)  NULL,
  KEY of_hook (hook_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- What hosts have taken of the rates. subject: a key's, hook's or workspace's id. window_at: when
-- the window began, in seconds since 1970.
CREATE TABLE IF NOT EXISTS rate_windows (
  subject           BINARY(16)   NOT NULL,
  window_at         BIGINT UNSIGNED NOT NULL,
  taken             INT UNSIGNED NOT NULL,
  PRIMARY KEY (subject, window_at),
  KEY age (window_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Failed deliveries of an endpoint that are being made anew: those of events made from `since` to
-- `until`, in the order of their ids; last_id: the last that was.
CREATE TABLE IF NOT EXISTS replays (
  replay_id         BINARY(16)   NOT NULL PRIMARY KEY,
  workspace_id      BINARY(16)   NOT NULL,
  destination_id    BINARY(16)   NOT NULL,
  since             DATETIME(6)  NOT NULL,
  until             DATETIME(6)  NOT NULL,
  state             ENUM('running','done') NOT NULL DEFAULT 'running',
  replayed          INT UNSIGNED NOT NULL DEFAULT 0,
  last_created_at   DATETIME(6)  NULL,
  last_id           BINARY(16)   NULL,
  due_at            DATETIME(6)  NULL,
  created_at        DATETIME(6)  NOT NULL,
  updated_at        DATETIME(6)  NOT NULL,
  KEY due (due_at),
  KEY of_workspace (workspace_id, created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Counts of what retention has deleted, by the day (UTC) it was made on. What is still there is
-- counted from its rows.
CREATE TABLE IF NOT EXISTS usage_days (
  workspace_id      BINARY(16)   NOT NULL,
  day               DATE         NOT NULL,
  calls             INT UNSIGNED NOT NULL DEFAULT 0,
  completed         INT UNSIGNED NOT NULL DEFAULT 0,
  failed            INT UNSIGNED NOT NULL DEFAULT 0,
  cancelled         INT UNSIGNED NOT NULL DEFAULT 0,
  disallowed        INT UNSIGNED NOT NULL DEFAULT 0,
  talk_seconds      BIGINT UNSIGNED NOT NULL DEFAULT 0,
  events            INT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (workspace_id, day)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- NULL: the settings' own. Calling hours are minutes of the day; calling_days: bit 0 is Monday.
ALTER TABLE workspaces
  ADD COLUMN IF NOT EXISTS retention_days        INT UNSIGNED NOT NULL DEFAULT 90,
  ADD COLUMN IF NOT EXISTS key_rate_per_minute   INT UNSIGNED NULL,
  ADD COLUMN IF NOT EXISTS rate_per_minute       INT UNSIGNED NULL,
  ADD COLUMN IF NOT EXISTS calling_from_minute   SMALLINT UNSIGNED NOT NULL DEFAULT 540,
  ADD COLUMN IF NOT EXISTS calling_to_minute     SMALLINT UNSIGNED NOT NULL DEFAULT 1260,
  ADD COLUMN IF NOT EXISTS calling_days          TINYINT UNSIGNED NOT NULL DEFAULT 127,
  ADD COLUMN IF NOT EXISTS holidays              TEXT NULL,
  ADD COLUMN IF NOT EXISTS calls_per_day         INT UNSIGNED NULL,
  ADD COLUMN IF NOT EXISTS concurrent_calls      INT UNSIGNED NOT NULL DEFAULT 10,
  ADD COLUMN IF NOT EXISTS number_calls_per_day  INT UNSIGNED NOT NULL DEFAULT 3,
  ADD COLUMN IF NOT EXISTS number_gap_minutes    INT UNSIGNED NOT NULL DEFAULT 30;

ALTER TABLE api_keys
  ADD COLUMN IF NOT EXISTS rate_per_minute       INT UNSIGNED NULL;

-- calling_*, concurrent_calls, calls_per_day NULL: the workspace's. retry_on: bit per reason.
-- deleted_at: kept for the calls that it made; a deleted agent is disabled too.
ALTER TABLE agents
  ADD COLUMN IF NOT EXISTS max_attempts          INT UNSIGNED NOT NULL DEFAULT 1,
  ADD COLUMN IF NOT EXISTS retry_on              SET('busy','no_answer','carrier_error') NOT NULL DEFAULT 'busy,no_answer',
  ADD COLUMN IF NOT EXISTS retry_gaps_minutes    VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '30',
  ADD COLUMN IF NOT EXISTS calling_from_minute   SMALLINT UNSIGNED NULL,
  ADD COLUMN IF NOT EXISTS calling_to_minute     SMALLINT UNSIGNED NULL,
  ADD COLUMN IF NOT EXISTS calling_days          TINYINT UNSIGNED NULL,
  ADD COLUMN IF NOT EXISTS outside_hours         ENUM('hold','disallow') NOT NULL DEFAULT 'hold',
  ADD COLUMN IF NOT EXISTS concurrent_calls      INT UNSIGNED NULL,
  ADD COLUMN IF NOT EXISTS calls_per_day         INT UNSIGNED NULL,
  ADD COLUMN IF NOT EXISTS deleted_at            DATETIME(6) NULL;

-- headers: a JSON object, sealed. disabled_at: when its failures disabled it. told_*: when its owners
-- were told of it by mail; once for each held_since and each disabled_at.
ALTER TABLE destinations
  ADD COLUMN IF NOT EXISTS rate_per_second       INT UNSIGNED NULL,
  ADD COLUMN IF NOT EXISTS headers               MEDIUMBLOB NULL,
  ADD COLUMN IF NOT EXISTS held_since            DATETIME(6) NULL,
  ADD COLUMN IF NOT EXISTS disabled_at           DATETIME(6) NULL,
  ADD COLUMN IF NOT EXISTS told_held_at          DATETIME(6) NULL,
  ADD COLUMN IF NOT EXISTS told_disabled_at      DATETIME(6) NULL;

ALTER TABLE deliveries
  ADD INDEX IF NOT EXISTS listed (workspace_id, created_at),
  ADD INDEX IF NOT EXISTS listed_state (workspace_id, state, created_at),
  ADD INDEX IF NOT EXISTS listed_destination (destination_id, created_at);

ALTER TABLE events
  ADD INDEX IF NOT EXISTS listed_type (workspace_id, type, created_at);
