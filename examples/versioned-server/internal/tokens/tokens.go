// Package tokens makes and checks the tokens that allow writing.
package tokens

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const issuer = "places"

// Issue returns a signed token for a subject.
func Issue(secret []byte, subject string, expires time.Time) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Issuer:    issuer,
		Subject:   subject,
		ExpiresAt: jwt.NewNumericDate(expires),
	}).SignedString(secret)
}

// Subject returns for whom a request's token was made.
func Subject(secret []byte, request *http.Request) (string, error) {
	text, found := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer ")
	if !found {
		return "", errors.New("a token is needed: Authorization: Bearer TOKEN")
	}
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(
		text, &claims,
		func(*jwt.Token) (any, error) { return secret, nil },
		// A token must not choose how it is checked.
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(issuer),
		jwt.WithExpirationRequired(),
	)
	if err != nil {
		return "", fmt.Errorf("the token is not good: %w", err)
	}
	return claims.Subject, nil
}
