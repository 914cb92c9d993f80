-- The layout of the file, version 1.

-- One row. `number` is the last one given out: versions of items and numbers of messages come from
-- it, so that none is ever there twice. `salt` makes the ids of messages differ between files.
CREATE TABLE counter (
    number INTEGER NOT NULL,
    salt INTEGER NOT NULL
);

-- Times are microseconds since 1970.
CREATE TABLE item (
    pk TEXT NOT NULL,
    sk TEXT NOT NULL,
    body TEXT NOT NULL,
    version INTEGER NOT NULL,
    ord TEXT,
    expires INTEGER
);
CREATE UNIQUE INDEX item_by_key ON item (pk, sk);
CREATE UNIQUE INDEX item_by_order ON item (pk, ord) WHERE ord IS NOT NULL;
CREATE INDEX item_by_expiry ON item (expires) WHERE expires IS NOT NULL;

CREATE TABLE queue (
    name TEXT PRIMARY KEY,
    depth INTEGER NOT NULL,
    last_sent_at INTEGER NOT NULL
) WITHOUT ROWID;

-- `grp` is null on standard queues.
CREATE TABLE message (
    number INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    grp TEXT,
    visible_at INTEGER NOT NULL,
    receives INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX message_by_visibility ON message (queue, visible_at) WHERE grp IS NULL;
CREATE INDEX message_by_group ON message (queue, grp) WHERE grp IS NOT NULL;

-- The groups that hold messages. `head` is the first message of the group and `ready_at` its
-- `visible_at`: the ready groups are found without a look at what waits in the others.
CREATE TABLE message_group (
    queue TEXT NOT NULL,
    grp TEXT NOT NULL,
    head INTEGER NOT NULL,
    ready_at INTEGER NOT NULL,
    PRIMARY KEY (queue, grp)
) WITHOUT ROWID;
CREATE INDEX group_by_readiness ON message_group (queue, ready_at, head);

CREATE TABLE deduplication (
    queue TEXT NOT NULL,
    id TEXT NOT NULL,
    number INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (queue, id)
) WITHOUT ROWID;
CREATE INDEX deduplication_by_end ON deduplication (queue, until);

PRAGMA user_version = 1;
