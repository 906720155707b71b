// Package settings reads what the environment says, and refuses what must not run in production.
package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	Production = "production"

	ShortestPassword  = 32
	ShortestJWTSecret = 64
)

var (
	environments = []string{"development", "staging", Production}
	// What libpq knows; the last three never speak without TLS.
	modes = []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
	safe  = modes[3:]

	placeholder = regexp.MustCompile(`(?i)^(change[-_]?me|replace[-_]?me|<[^<>]*>)$`)
)

// Settings is all that the server is told.
type Settings struct {
	Environment string
	Port        int
	Slot        string
	LogLevel    slog.Level
	Database    Database
	JWTSecret   []byte
	Snapshots   string
	// Linger is how long a server that stops still takes requests, though it is no longer ready.
	Linger time.Duration
}

// Database says where the database is, and how it is spoken to.
type Database struct {
	Host, Name, User, Password, SSLMode string
	Port                                int
}

// Read returns the settings, or every problem that they have at once.
func Read(getenv func(string) string) (Settings, error) {
	from := func(name, otherwise string) string {
		if value := getenv(name); value != "" {
			return value
		}
		return otherwise
	}
	port, wrongPort := Port(getenv)
	databasePort, wrongDatabasePort := number("DATABASE_PORT", from("DATABASE_PORT", "5432"))
	linger, wrongLinger := duration("LINGER", from("LINGER", "0s"))
	own := Settings{
		Environment: from("APP_ENV", "development"),
		Port:        port,
		Slot:        getenv("SLOT"),
		JWTSecret:   []byte(getenv("JWT_SECRET")),
		Snapshots:   from("SNAPSHOTS", "/var/lib/places/snapshots"),
		Linger:      linger,
		Database: Database{
			Host:     from("DATABASE_HOST", "localhost"),
			Port:     databasePort,
			Name:     from("DATABASE_NAME", "places"),
			User:     from("DATABASE_USER", "places"),
			Password: getenv("POSTGRES_PASSWORD"),
			SSLMode:  from("DATABASE_SSLMODE", "prefer"),
		},
	}
	wrongLevel := own.LogLevel.UnmarshalText([]byte(from("LOG_LEVEL", "info")))
	return own, errors.Join(wrongPort, wrongDatabasePort, wrongLinger, wrongLevel, own.check())
}

// Port returns the port that the server listens on.
func Port(getenv func(string) string) (int, error) {
	if text := getenv("PORT"); text != "" {
		return number("PORT", text)
	}
	return 8080, nil
}

func number(name, text string) (int, error) {
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("%s is %q, and a port is 1 to 65535", name, text)
	}
	return int(port), nil
}

func duration(name, text string) (time.Duration, error) {
	length, err := time.ParseDuration(text)
	if err != nil || length < 0 {
		return 0, fmt.Errorf("%s is %q, and is a duration such as 2s", name, text)
	}
	return length, nil
}

func (own Settings) check() error {
	var wrong []error
	if !slices.Contains(environments, own.Environment) {
		wrong = append(wrong, fmt.Errorf("APP_ENV is %q, and may be %s", own.Environment, list(environments)))
	}
	if !slices.Contains(modes, own.Database.SSLMode) {
		wrong = append(wrong, fmt.Errorf("DATABASE_SSLMODE is %q, and may be %s", own.Database.SSLMode, list(modes)))
	}
	production := own.Environment == Production
	if production && slices.Contains(modes, own.Database.SSLMode) && !slices.Contains(safe, own.Database.SSLMode) {
		wrong = append(wrong, fmt.Errorf("DATABASE_SSLMODE is %q, and in production it is %s", own.Database.SSLMode, list(safe)))
	}
	wrong = append(
		wrong,
		secret("POSTGRES_PASSWORD", own.Database.Password, ShortestPassword, production),
		secret("JWT_SECRET", string(own.JWTSecret), ShortestJWTSecret, production),
	)
	return errors.Join(wrong...)
}

// secret says what is wrong with a secret; never the secret itself.
func secret(name, value string, shortest int, production bool) error {
	switch {
	case value == "":
		return fmt.Errorf("%s has no value", name)
	case production && placeholder.MatchString(value):
		return fmt.Errorf("%s is the placeholder of .env.example, which production refuses", name)
	case production && utf8.RuneCountInString(value) < shortest:
		return fmt.Errorf("%s has %d characters, and production needs %d", name, utf8.RuneCountInString(value), shortest)
	}
	return nil
}

func list(words []string) string {
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
