-- Run by every server that starts, one after another. It only ever adds, so that the version before
-- can go on beside this one.
CREATE TABLE IF NOT EXISTS places (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    note text NOT NULL,
    position geography(Point, 4326) NOT NULL,
    likeness vector(64) NOT NULL,
    created timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS places_name ON places USING gin (name gin_trgm_ops);
CREATE INDEX IF NOT EXISTS places_position ON places USING gist (position);
CREATE INDEX IF NOT EXISTS places_likeness ON places USING hnsw (likeness vector_cosine_ops);
