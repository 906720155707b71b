package store

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"example.com/places/internal/settings"
)

func product(a, b []float32) float64 {
	var sum float64
	for at := range a {
		sum += float64(a[at]) * float64(b[at])
	}
	return sum
}

func TestTextsThatAreAlikeAreNearEachOther(t *testing.T) {
	text := likeness("a quiet harbour with fishing boats")
	if near, far := product(text, likeness("quiet harbours, fishing")), product(text, likeness("steep rock")); near <= far {
		t.Errorf("%v is no nearer than %v", near, far)
	}
	for _, each := range []string{"", "a", "a quiet harbour"} {
		if one := product(likeness(each), likeness(each)); one < 0.999 || one > 1.001 {
			t.Errorf("%q has length %v", each, one)
		}
	}
	if text := written([]float32{0.5, 0, 1}); text != "[0.5,0,1]" {
		t.Errorf("written as %s", text)
	}
}

// A database without TLS answers the first question with N; whoever goes on then is in plaintext.
func TestNothingIsSentInPlaintextWhereTLSIsRequired(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	more := make(chan int, 8)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				question := make([]byte, 8)
				if _, err := io.ReadFull(connection, question); err != nil {
					return
				}
				const sslRequest = 80877103
				if binary.BigEndian.Uint32(question[4:]) != sslRequest {
					more <- len(question)
					return
				}
				_, _ = connection.Write([]byte("N"))
				count, _ := connection.Read(make([]byte, 1))
				more <- count
			}()
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	port := listener.Addr().(*net.TCPAddr).Port
	_, err = Open(ctx, settings.Database{
		Host: "127.0.0.1", Port: port, Name: "places", User: "places", Password: "p", SSLMode: "require",
	})
	if err == nil || !strings.Contains(err.Error(), "TLS") {
		t.Errorf("got %v", err)
	}
	if count := <-more; count != 0 {
		t.Errorf("%d bytes came in plaintext", count)
	}
}
