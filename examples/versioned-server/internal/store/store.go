// Package store keeps places in PostgreSQL: pg_trgm finds them by name, PostGIS by distance and
// pgvector by what their notes are like; pg_stat_statements tells what that costs.
package store

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"example.com/places/internal/settings"
)

const (
	connecting = 5 * time.Second
	// Any number; servers that start together take turns by it.
	schemaLock = 7_204_918
)

// ErrUnknown says that there is no such place.
var ErrUnknown = errors.New("no such place")

//go:embed schema.sql
var schema string

// Place is what is kept.
type Place struct {
	ID        int64   `json:"id"`
	Name      string  `json:"name"`
	Note      string  `json:"note"`
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	// Score is how well it was found: similarity of names or notes, or metres.
	Score *float64 `json:"score,omitempty"`
}

// Status is what the database says of the connection and of itself.
type Status struct {
	TLS        bool              `json:"tls"`
	TLSVersion string            `json:"tls_version,omitempty"`
	Server     string            `json:"server"`
	Extensions map[string]string `json:"extensions"`
}

// Query is a statement that the server has run, and what it cost.
type Query struct {
	Text   string  `json:"query"`
	Calls  int64   `json:"calls"`
	MeanMS float64 `json:"mean_ms"`
}

// Store is a pool of connections to the database.
type Store struct{ pool *pgxpool.Pool }

// Open connects, and brings the schema to what this server needs.
func Open(ctx context.Context, where settings.Database) (*Store, error) {
	// A password never stands in a text that is parsed: it may hold whatever it likes.
	config, err := pgxpool.ParseConfig(fmt.Sprintf(
		"host=%s port=%d dbname=%s user=%s sslmode=%s",
		where.Host, where.Port, where.Name, where.User, where.SSLMode,
	))
	if err != nil {
		return nil, err
	}
	config.ConnConfig.Password = where.Password
	config.ConnConfig.ConnectTimeout = connecting
	config.ConnConfig.RuntimeParams["application_name"] = "places"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, pool); err != nil {
		pool.Close()
		return nil, err
	}
	return &Store{pool}, nil
}

func migrate(ctx context.Context, pool *pgxpool.Pool) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", schemaLock); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, schema)
		return err
	})
}

// Close gives the connections back.
func (store *Store) Close() { store.pool.Close() }

// Ping returns whether the database answers.
func (store *Store) Ping(ctx context.Context) error { return store.pool.Ping(ctx) }

// Add keeps a place and returns its number.
func (store *Store) Add(ctx context.Context, place Place) (int64, error) {
	var id int64
	err := store.pool.QueryRow(ctx, `
		INSERT INTO places (name, note, position, likeness)
		VALUES ($1, $2, ST_MakePoint($3, $4)::geography, $5::text::vector) RETURNING id`,
		place.Name, place.Note, place.Longitude, place.Latitude, written(likeness(place.Note)),
	).Scan(&id)
	return id, err
}

// Named returns places whose names are similar, misspelt ones too.
func (store *Store) Named(ctx context.Context, name string, most int) ([]Place, error) {
	return store.find(ctx, `
		SELECT `+columns+`, similarity(name, $1)::float8 FROM places
		WHERE name % $1 ORDER BY similarity(name, $1) DESC, id LIMIT $2`, name, most)
}

// Near returns places within a distance, the nearest first, each with its metres.
func (store *Store) Near(ctx context.Context, latitude, longitude, metres float64, most int) ([]Place, error) {
	return store.find(ctx, `
		SELECT `+columns+`, ST_Distance(position, ST_MakePoint($1, $2)::geography) FROM places
		WHERE ST_DWithin(position, ST_MakePoint($1, $2)::geography, $3)
		ORDER BY position <-> ST_MakePoint($1, $2)::geography, id LIMIT $4`,
		longitude, latitude, metres, most)
}

// Alike returns the places whose notes are most like that of a place.
func (store *Store) Alike(ctx context.Context, id int64, most int) ([]Place, error) {
	var known bool
	err := store.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM places WHERE id = $1)", id).Scan(&known)
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, ErrUnknown
	}
	return store.find(ctx, `
		SELECT `+columns+`, 1 - (likeness <=> (SELECT likeness FROM places WHERE id = $1)) FROM places
		WHERE id <> $1 ORDER BY likeness <=> (SELECT likeness FROM places WHERE id = $1), id LIMIT $2`,
		id, most)
}

// All yields every place, of one moment.
func (store *Store) All(ctx context.Context) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		rows, err := store.pool.Query(ctx, `SELECT `+columns+`, NULL::float8 FROM places ORDER BY id`)
		if err != nil {
			yield(nil, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			place, err := scan(rows)
			if !yield(place, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// Status returns what the database says of itself and of this very connection.
func (store *Store) Status(ctx context.Context) (Status, error) {
	var status Status
	err := store.pool.QueryRow(ctx, `
		SELECT ssl, coalesce(version, ''), current_setting('server_version'),
			(SELECT jsonb_object_agg(extname, extversion) FROM pg_extension)
		FROM pg_stat_ssl WHERE pid = pg_backend_pid()`,
	).Scan(&status.TLS, &status.TLSVersion, &status.Server, &status.Extensions)
	return status, err
}

// Costly returns the statements that took the most time together.
func (store *Store) Costly(ctx context.Context, most int) ([]Query, error) {
	rows, err := store.pool.Query(ctx, `
		SELECT query, calls, mean_exec_time FROM pg_stat_statements
		WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
		ORDER BY total_exec_time DESC LIMIT $1`, most)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Query, error) {
		var query Query
		err := row.Scan(&query.Text, &query.Calls, &query.MeanMS)
		return query, err
	})
}

const columns = `id, name, note, ST_Y(position::geometry), ST_X(position::geometry)`

func (store *Store) find(ctx context.Context, query string, values ...any) ([]Place, error) {
	rows, err := store.pool.Query(ctx, query, values...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}

func scan(row pgx.CollectableRow) (Place, error) {
	var place Place
	err := row.Scan(&place.ID, &place.Name, &place.Note, &place.Latitude, &place.Longitude, &place.Score)
	return place, err
}
