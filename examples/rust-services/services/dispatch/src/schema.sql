CREATE TABLE IF NOT EXISTS jobs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    needs text NOT NULL,
    input jsonb NOT NULL,
    state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    worker text,
    result jsonb,
    error text,
    changed timestamptz NOT NULL DEFAULT now()
);

-- What is looked for every time that somebody is free.
CREATE INDEX IF NOT EXISTS jobs_open ON jobs (needs, id) WHERE state IN ('waiting', 'running');
