package web

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/places/internal/snapshots"
	"example.com/places/internal/store"
	"example.com/places/internal/tokens"
)

var secret = []byte("a secret of this test")

// kept is a store in memory that finds everything it has.
type kept struct {
	places []store.Place
	dead   error
}

func (all *kept) Ping(context.Context) error { return all.dead }
func (all *kept) Add(_ context.Context, place store.Place) (int64, error) {
	all.places = append(all.places, place)
	return int64(len(all.places)), all.dead
}
func (all *kept) Named(context.Context, string, int) ([]store.Place, error) {
	return all.places, all.dead
}
func (all *kept) Near(context.Context, float64, float64, float64, int) ([]store.Place, error) {
	return all.places, all.dead
}
func (all *kept) Alike(_ context.Context, id int64, _ int) ([]store.Place, error) {
	if id > int64(len(all.places)) {
		return nil, store.ErrUnknown
	}
	return all.places, all.dead
}
func (all *kept) All(context.Context) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for _, place := range all.places {
			if !yield(place, nil) {
				return
			}
		}
	}
}
func (all *kept) Status(context.Context) (store.Status, error)       { return store.Status{}, all.dead }
func (all *kept) Costly(context.Context, int) ([]store.Query, error) { return nil, all.dead }

func site(t *testing.T, slot string, places *kept) *Site {
	t.Helper()
	version := Version{"1.2.3", "abc1234", "today"}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	return New(version, slot, secret, places, snapshots.Folder(t.TempDir()), log)
}

func asking(t *testing.T, of *Site, method, path, body string, allowed bool) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	if allowed {
		token, err := tokens.Issue(secret, "test", time.Now().Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer := httptest.NewRecorder()
	of.Handler().ServeHTTP(answer, request)
	return answer
}

func TestVersionAndSlotAreTold(t *testing.T) {
	answer := asking(t, site(t, "blue", &kept{}), "GET", "/version", "", false)
	if !strings.Contains(answer.Body.String(), `"version":"1.2.3"`) || answer.Header().Get(Slot) != "blue" {
		t.Errorf("told %s, slot %q", answer.Body, answer.Header().Get(Slot))
	}
	if answer = asking(t, site(t, "", &kept{}), "GET", "/nothing", "", false); answer.Header().Get(Slot) != "" {
		t.Error("a server without a slot told of one")
	}
}

func TestWritingNeedsAToken(t *testing.T) {
	of := site(t, "", &kept{})
	for _, each := range []string{"POST /places", "POST /snapshots", "GET /queries"} {
		method, path, _ := strings.Cut(each, " ")
		if answer := asking(t, of, method, path, "", false); answer.Code != 401 {
			t.Errorf("%s: %d", each, answer.Code)
		}
	}
}

func TestWhatIsWrittenIsFoundAndInASnapshot(t *testing.T) {
	places := &kept{}
	of := site(t, "", places)
	body := `{"name": "Harbour", "note": "quiet", "latitude": 54.1, "longitude": 13.4}`
	if answer := asking(t, of, "POST", "/places", body, true); answer.Code != 201 {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	for _, path := range []string{"/places?q=harbor", "/places/near?lat=54&lon=13&metres=1000", "/places/1/alike"} {
		if answer := asking(t, of, "GET", path, "", false); !strings.Contains(answer.Body.String(), "Harbour") {
			t.Errorf("%s: %d %s", path, answer.Code, answer.Body)
		}
	}
	if answer := asking(t, of, "POST", "/snapshots", "", true); !strings.Contains(answer.Body.String(), `"places":1`) {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if answer := asking(t, of, "GET", "/snapshots", "", false); !strings.Contains(answer.Body.String(), ".jsonl") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestWhatMakesNoSenseIsRefused(t *testing.T) {
	of := site(t, "", &kept{})
	for _, body := range []string{
		``, `{}`, `{"name": " "}`, `{"name": "x", "latitude": 91}`, `{"name": "x", "height": 1}`,
		`{"name": "` + strings.Repeat("x", longestName+1) + `"}`, `{"name": "a\u0000"}`,
	} {
		if answer := asking(t, of, "POST", "/places", body, true); answer.Code != 400 {
			t.Errorf("%.40s: %d", body, answer.Code)
		}
	}
	for path, code := range map[string]int{
		"/places": 400, "/places?q=%00": 400, "/places?q=%ff": 400, "/places/near?lat=NaN&lon=0&metres=1": 400, "/places/near?lat=0&lon=0": 400,
		"/places/x/alike": 400, "/places/7/alike": 404,
	} {
		if answer := asking(t, of, "GET", path, "", false); answer.Code != code {
			t.Errorf("%s: %d", path, answer.Code)
		}
	}
}

func TestReadinessGoesWithTheDatabaseAndEndsFirst(t *testing.T) {
	places := &kept{}
	of := site(t, "", places)
	status := func() int { return asking(t, of, "GET", "/readyz", "", false).Code }
	if code := status(); code != 200 {
		t.Errorf("ready: %d", code)
	}
	places.dead = errors.New("secret words of the database")
	if code := status(); code != 503 {
		t.Errorf("without a database: %d", code)
	}
	if answer := asking(t, of, "GET", "/places?q=x", "", false); answer.Code != 500 || strings.Contains(answer.Body.String(), "secret words") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if code := asking(t, of, "GET", "/livez", "", false).Code; code != 200 {
		t.Errorf("alive: %d", code)
	}
	places.dead = nil
	of.Drain()
	if code := status(); code != 503 {
		t.Errorf("draining: %d", code)
	}
}
