package vector

import (
	"math"
	"slices"
	"testing"
)

func likeness(one, other string) float64 {
	var sum float64
	others := Of(other)
	for at, value := range Of(one) {
		sum += float64(value) * float64(others[at])
	}
	return sum
}

func TestTheSameTextHasTheSameVectorOfLengthOne(t *testing.T) {
	text := "Boats leave the harbour at dawn."
	if !slices.Equal(Of(text), Of(text)) {
		t.Error("two vectors of one text differ")
	}
	if length := likeness(text, text); math.Abs(length-1) > 1e-6 {
		t.Errorf("the length is %g", length)
	}
	// Of another machine and another year, too.
	if at := slices.IndexFunc(Of("a"), func(value float32) bool { return value != 0 }); at != 140 {
		t.Errorf("the first dimension of a is %d, and was 140", at)
	}
}

func TestSharedWordsAndPartsOfWordsMakeTextsAlike(t *testing.T) {
	const text = "boats leave the harbour"
	same := likeness(text, "The harbour: boats, leave!")
	near := likeness(text, "a boat in the harbor")
	far := likeness(text, "snow falls on high mountains")
	if math.Abs(same-1) > 1e-6 || near < 0.25 || near > 0.9 || far > near/2 {
		t.Errorf("same words %g, like words %g, other words %g", same, near, far)
	}
}

func TestATextWithoutAWordHasNoDirection(t *testing.T) {
	if made := Of(" … !"); len(made) != Size || slices.ContainsFunc(made, func(v float32) bool { return v != 0 }) {
		t.Errorf("%v", made)
	}
}
