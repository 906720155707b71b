package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// presence is a presence service that tells of each request.
func presence(t *testing.T) (string, <-chan string) {
	told := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body Presence
		_ = json.NewDecoder(r.Body).Decode(&body)
		told <- strings.TrimSpace(r.Method + " " + r.URL.Path + " " + body.Status)
		if r.Method == http.MethodPut && !slices.Contains([]string{"online", "away"}, body.Status) {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, told
}

func dialled(t *testing.T, gateway Gateway, query string) (*websocket.Conn, int) {
	server := httptest.NewServer(gateway.routes())
	t.Cleanup(server.Close)
	address := "ws" + strings.TrimPrefix(server.URL, "http") + "/ws" + query
	connection, answer, err := websocket.Dial(context.Background(), address, nil)
	if err != nil && answer == nil {
		t.Fatal(err)
	}
	return connection, answer.StatusCode
}

func received(t *testing.T, connection *websocket.Conn) map[string]string {
	t.Helper()
	var message map[string]string
	if err := wsjson.Read(context.Background(), connection, &message); err != nil {
		t.Fatal(err)
	}
	return message
}

func TestAMessageChangesPresence(t *testing.T) {
	address, told := presence(t)
	connection, _ := dialled(t, Gateway{presence: address, renewal: time.Hour}, "?user=ada")
	if said := received(t, connection); said["status"] != "online" {
		t.Errorf("said %v", said)
	}
	if err := wsjson.Write(context.Background(), connection, Presence{Status: "away"}); err != nil {
		t.Fatal(err)
	}
	if said := received(t, connection); said["user"] != "ada" || said["status"] != "away" {
		t.Errorf("said %v", said)
	}
	if err := wsjson.Write(context.Background(), connection, Presence{Status: "asleep"}); err != nil {
		t.Fatal(err)
	}
	if said := received(t, connection); said["error"] == "" {
		t.Errorf("a refused status is answered by %v", said)
	}
	if err := connection.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"PUT /presence/ada online", "PUT /presence/ada away", "PUT /presence/ada asleep", "DELETE /presence/ada",
	} {
		if got := <-told; got != want {
			t.Errorf("presence was told %q, want %q", got, want)
		}
	}
}

func TestASilentConnectionIsRenewed(t *testing.T) {
	address, told := presence(t)
	connection, _ := dialled(t, Gateway{presence: address, renewal: time.Millisecond}, "?user=ada")
	defer func() { _ = connection.CloseNow() }()
	for range 3 {
		if got := <-told; got != "PUT /presence/ada online" {
			t.Errorf("presence was told %q", got)
		}
	}
}

func TestWhoAsksForNoWebsocketIsNotThere(t *testing.T) {
	address, told := presence(t)
	answer := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodGet, "/ws?user=ada", nil)
	Gateway{presence: address, renewal: time.Hour}.routes().ServeHTTP(answer, request)
	if answer.Code != http.StatusUpgradeRequired {
		t.Errorf("answered %d", answer.Code)
	}
	for _, want := range []string{"PUT /presence/ada online", "DELETE /presence/ada"} {
		if got := <-told; got != want {
			t.Errorf("presence was told %q, want %q", got, want)
		}
	}
}

func TestNobodyAndNoPresenceAreRefused(t *testing.T) {
	address, _ := presence(t)
	if _, code := dialled(t, Gateway{presence: address, renewal: time.Hour}, ""); code != http.StatusBadRequest {
		t.Errorf("without a name: %d", code)
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	if _, code := dialled(t, Gateway{presence: gone.URL, renewal: time.Hour}, "?user=ada"); code != http.StatusBadGateway {
		t.Errorf("without presence: %d", code)
	}
}
