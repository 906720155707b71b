package settings

import (
	"maps"
	"strings"
	"testing"
)

var good = map[string]string{
	"APP_ENV":           Production,
	"POSTGRES_PASSWORD": strings.Repeat("p", ShortestPassword),
	"JWT_SECRET":        strings.Repeat("j", ShortestJWTSecret),
	"DATABASE_SSLMODE":  "require",
}

func reading(changed map[string]string) (Settings, error) {
	all := maps.Clone(good)
	maps.Copy(all, changed)
	return Read(func(name string) string { return all[name] })
}

func TestWhatIsGoodEnoughForProductionIsTaken(t *testing.T) {
	own, err := reading(nil)
	if err != nil {
		t.Fatal(err)
	}
	if own.Port != 8080 || own.Database.Host != "localhost" || own.Database.Port != 5432 {
		t.Errorf("read %+v", own)
	}
}

func TestProductionRefuses(t *testing.T) {
	for what, changed := range map[string]map[string]string{
		"POSTGRES_PASSWORD is the placeholder": {"POSTGRES_PASSWORD": "CHANGE_ME"},
		"POSTGRES_PASSWORD has 31 characters":  {"POSTGRES_PASSWORD": strings.Repeat("ß", 31)},
		"JWT_SECRET is the placeholder":        {"JWT_SECRET": "change-me"},
		"JWT_SECRET has 63 characters":         {"JWT_SECRET": strings.Repeat("j", 63)},
		"JWT_SECRET has no value":              {"JWT_SECRET": ""},
		`DATABASE_SSLMODE is "prefer"`:         {"DATABASE_SSLMODE": "prefer"},
		`DATABASE_SSLMODE is "disable"`:        {"DATABASE_SSLMODE": "disable"},
	} {
		if _, err := reading(changed); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("expected %q, got %v", what, err)
		}
		changed["APP_ENV"] = "development"
		// There a value may be weak; one must be there.
		if _, err := reading(changed); (err != nil) != strings.HasSuffix(what, "has no value") {
			t.Errorf("%s, in development: %v", what, err)
		}
	}
}

func TestEveryProblemIsToldAtOnceAndNoSecret(t *testing.T) {
	_, err := reading(map[string]string{
		"APP_ENV": "prod", "PORT": "0", "DATABASE_PORT": "x", "LOG_LEVEL": "loud", "LINGER": "-1s",
		"DATABASE_SSLMODE": "on", "JWT_SECRET": "",
	})
	for _, what := range []string{
		"APP_ENV", `PORT is "0"`, "DATABASE_PORT", "loud", "LINGER", "DATABASE_SSLMODE", "JWT_SECRET",
	} {
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s is not told: %v", what, err)
		}
	}
	_, err = reading(map[string]string{"POSTGRES_PASSWORD": "hunter2"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("told %v", err)
	}
}
