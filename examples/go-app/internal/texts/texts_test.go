package texts

import (
	"regexp"
	"testing"
)

func TestTheSameTextHasTheSameID(t *testing.T) {
	one := ID("a text")
	if one != ID("a text") || one == ID("a text.") {
		t.Errorf("%s, %s", one, ID("a text."))
	}
	uuid := regexp.MustCompile("^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
	if !uuid.MatchString(one) {
		t.Errorf("%s is no UUID of version 8", one)
	}
}
