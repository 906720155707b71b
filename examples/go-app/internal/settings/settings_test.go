package settings

import (
	"strings"
	"testing"
)

func reading(values map[string]string) (Settings, error) {
	all := map[string]string{"POSTGRES_PASSWORD": "p", "REDIS_PASSWORD": "r", "QDRANT_API_KEY": "q"}
	for name, value := range values {
		all[name] = value
	}
	return Read(func(name string) string { return all[name] })
}

func TestDefaults(t *testing.T) {
	own, err := reading(nil)
	if err != nil {
		t.Fatal(err)
	}
	if own.Port != 8080 || own.Umask != 0o027 || own.Collector != "" {
		t.Errorf("%+v", own)
	}
}

func TestAllThatIsWrongIsToldAtOnceAndNoSecret(t *testing.T) {
	_, err := reading(map[string]string{
		"PORT": "0", "UMASK": "0999", "QDRANT_URL": "qdrant:6333", "REDIS_PASSWORD": "",
		"OTEL_EXPORTER_OTLP_ENDPOINT": "collector", "LOG_LEVEL": "loud", "POSTGRES_PASSWORD": "hidden",
	})
	if err == nil {
		t.Fatal("taken")
	}
	for _, name := range []string{"PORT", "UMASK", "QDRANT_URL", "REDIS_PASSWORD", "OTEL_", "loud"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not told of: %v", name, err)
		}
	}
	if strings.Contains(err.Error(), "hidden") {
		t.Errorf("a secret is shown: %v", err)
	}
}
