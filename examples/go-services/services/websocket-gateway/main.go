// Command websocket-gateway keeps the connections of users, and tells presence of them.
//
// GET /ws?user=NAME becomes a websocket: its user is online from then on, has the status of each
// message {"status": "away"}, and is gone when the connection is. Each message is answered by what
// is known of the user then.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"chorus.example/shared/service"
)

// Presence is what is known of a user.
type Presence struct {
	User   string `json:"user,omitempty"`
	Status string `json:"status"`
}

// Gateway takes connections.
type Gateway struct {
	// presence is the address of the presence service.
	presence string
	// renewal is how often a connection that is silent is told of, less than presence remembers.
	renewal time.Duration
	origins []string
}

const (
	mostBytes = 1 << 10
	// Presence is told of an end although the service itself ends.
	farewell = 2 * time.Second
)

func main() {
	service.Main("websocket-gateway", func() (service.Service, error) {
		renewal, err := time.ParseDuration(service.Setting("PRESENCE_RENEWAL", "30s"))
		if err != nil || renewal <= 0 {
			return service.Service{}, fmt.Errorf("PRESENCE_RENEWAL is no positive duration: %w", err)
		}
		gateway := Gateway{
			presence: service.Setting("PRESENCE_URL", "http://presence-service:8081"),
			renewal:  renewal,
			origins:  []string{service.Setting("ALLOWED_ORIGIN", "localhost:*")},
		}
		return service.Service{Name: "websocket-gateway", Handler: gateway.routes(), Ready: gateway.ready}, nil
	})
}

func (g Gateway) ready(ctx context.Context) error {
	return service.Call(ctx, http.MethodGet, g.presence+"/readyz", nil, nil)
}

func (g Gateway) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ws", func(w http.ResponseWriter, r *http.Request) {
		user := r.URL.Query().Get("user")
		if user == "" {
			service.Problem(w, http.StatusBadRequest, errors.New("say who you are: /ws?user=NAME"))
			return
		}
		// It is told before the switch to a websocket, where an error still has a status.
		if err := g.tell(r.Context(), user, "online"); err != nil {
			service.Problem(w, http.StatusBadGateway, err)
			return
		}
		defer g.forget(user)
		connection, err := websocket.Accept(w, r, &websocket.AcceptOptions{OriginPatterns: g.origins})
		if err != nil {
			slog.Warn("no websocket", "error", err)
			return
		}
		connection.SetReadLimit(mostBytes)
		err = g.converse(r.Context(), connection, user)
		slog.Info("closed", "user", user, "reason", err)
		if r.Context().Err() != nil {
			err = connection.Close(websocket.StatusGoingAway, "the gateway ends")
		} else {
			err = connection.Close(websocket.StatusNormalClosure, "")
		}
		if err != nil {
			slog.Debug("not closed in order", "error", err)
		}
	})
	return mux
}

// converse answers messages until the connection ends, and returns why it did.
func (g Gateway) converse(ctx context.Context, connection *websocket.Conn, user string) error {
	now := Presence{User: user, Status: "online"}
	if err := wsjson.Write(ctx, connection, now); err != nil {
		return err
	}
	messages := make(chan Presence)
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		for {
			var message Presence
			if err := wsjson.Read(ctx, connection, &message); err != nil {
				ended <- err
				return
			}
			select {
			case messages <- message:
			case <-ctx.Done():
				return
			}
		}
	}()
	renewal := time.NewTicker(g.renewal)
	defer renewal.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-renewal.C:
			if err := g.tell(ctx, user, now.Status); err != nil {
				slog.Warn("presence is not renewed", "user", user, "error", err)
			}
		case message := <-messages:
			var answer any = map[string]string{"error": "presence did not take that"}
			if err := g.tell(ctx, user, message.Status); err != nil {
				slog.Warn("presence did not change", "user", user, "error", err)
			} else {
				now.Status = message.Status
				answer = now
			}
			if err := wsjson.Write(ctx, connection, answer); err != nil {
				return err
			}
		}
	}
}

func (g Gateway) tell(ctx context.Context, user, status string) error {
	address := g.presence + "/presence/" + url.PathEscape(user)
	return service.Call(ctx, http.MethodPut, address, Presence{Status: status}, nil)
}

func (g Gateway) forget(user string) {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	address := g.presence + "/presence/" + url.PathEscape(user)
	if err := service.Call(ctx, http.MethodDelete, address, nil, nil); err != nil {
		slog.Warn("presence keeps somebody who left, until it forgets", "user", user, "error", err)
	}
}
