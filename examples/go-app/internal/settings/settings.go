// Package settings reads what the environment says.
package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
)

// Settings is all that the server is told.
type Settings struct {
	Port          int
	Umask         int
	LogLevel      slog.Level
	Database      Database
	Redis         string
	RedisPassword string
	Qdrant        string
	QdrantKey     string
	// Collector is where traces and metrics go; empty: nowhere.
	Collector string
	// Description is the file of the API's description.
	Description string
}

// Database says where the texts are.
type Database struct {
	Host, Name, User, Password string
	Port                       int
}

// Read returns the settings, or every problem that they have at once.
func Read(getenv func(string) string) (Settings, error) {
	from := func(name, otherwise string) string {
		if value := getenv(name); value != "" {
			return value
		}
		return otherwise
	}
	var wrong []error
	noted := func(err error) {
		wrong = append(wrong, err)
	}
	own := Settings{
		Database: Database{
			Host:     from("POSTGRES_HOST", "localhost"),
			Name:     from("POSTGRES_DB", "documents"),
			User:     from("POSTGRES_USER", "documents"),
			Password: getenv("POSTGRES_PASSWORD"),
		},
		Redis:         from("REDIS_ADDRESS", "localhost:6379"),
		RedisPassword: getenv("REDIS_PASSWORD"),
		Qdrant:        from("QDRANT_URL", "http://localhost:6333"),
		QdrantKey:     getenv("QDRANT_API_KEY"),
		Collector:     getenv("OTEL_EXPORTER_OTLP_ENDPOINT"),
		Description:   from("OPENAPI_FILE", "api/openapi.yaml"),
	}
	var err error
	own.Port, err = Port(getenv)
	noted(err)
	own.Database.Port, err = number("POSTGRES_PORT", from("POSTGRES_PORT", "5432"))
	noted(err)
	own.Umask, err = umask(from("UMASK", "0027"))
	noted(err)
	noted(own.LogLevel.UnmarshalText([]byte(from("LOG_LEVEL", "info"))))
	noted(address("QDRANT_URL", own.Qdrant))
	if own.Collector != "" {
		noted(address("OTEL_EXPORTER_OTLP_ENDPOINT", own.Collector))
	}
	for name, value := range map[string]string{
		"POSTGRES_PASSWORD": own.Database.Password,
		"REDIS_PASSWORD":    own.RedisPassword,
		"QDRANT_API_KEY":    own.QdrantKey,
	} {
		if value == "" {
			noted(fmt.Errorf("%s has no value", name))
		}
	}
	return own, errors.Join(wrong...)
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

func umask(text string) (int, error) {
	mask, err := strconv.ParseUint(text, 8, 16)
	if err != nil || mask > 0o777 {
		return 0, fmt.Errorf("UMASK is %q, and is octal from 0000 to 0777", text)
	}
	return int(mask), nil
}

func address(name, text string) error {
	found, err := url.Parse(text)
	if err != nil || found.Host == "" || (found.Scheme != "http" && found.Scheme != "https") {
		return fmt.Errorf("%s is %q, and is an address such as http://host:6333", name, text)
	}
	return nil
}
