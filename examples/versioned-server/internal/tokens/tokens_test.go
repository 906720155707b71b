package tokens

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var secret = []byte("a secret of this test")

func asking(token string) (string, error) {
	request := httptest.NewRequest("POST", "/places", nil)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return Subject(secret, request)
}

func TestATokenOfOursIsGood(t *testing.T) {
	token, err := Issue(secret, "operator", time.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if subject, err := asking(token); err != nil || subject != "operator" {
		t.Errorf("%q: %v", subject, err)
	}
}

func TestOthersAreRefused(t *testing.T) {
	late, _ := Issue(secret, "operator", time.Now().Add(-time.Minute))
	foreign, _ := Issue([]byte("another secret"), "operator", time.Now().Add(time.Minute))
	claims := jwt.RegisteredClaims{Issuer: issuer, ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Minute))}
	unsigned, _ := jwt.NewWithClaims(jwt.SigningMethodNone, claims).SignedString(jwt.UnsafeAllowNoneSignatureType)
	endless, _ := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{Issuer: issuer}).SignedString(secret)
	for what, token := range map[string]string{
		"none": "", "late": late, "foreign": foreign, "unsigned": unsigned, "endless": endless,
	} {
		if _, err := asking(token); err == nil {
			t.Errorf("%s was let through", what)
		}
	}
}
