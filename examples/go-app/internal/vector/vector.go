// Package vector makes vectors of texts: the same one of the same text, always and everywhere.
package vector

import (
	"hash/fnv"
	"math"
	"strings"
	"unicode"
)

const (
	// Size is the number of dimensions: enough for few features of a text to fall together.
	Size = 512

	// Parts of words count less than words; they find inflected and misspelt ones. So do short
	// words, which most texts have.
	ofWord, ofShortWord, ofPart = 1.0, 0.25, 0.5
	longestShortWord            = 3
	partLength                  = 3
)

// Of returns the vector of a text, of length 1; that of a text without a word is zero.
//
// Each word, and each three letters of a longer one, fall into a dimension, and count for or against
// it, by their hash. Texts that share words and parts of words get vectors of a like direction.
func Of(text string) []float32 {
	var sums [Size]float64
	for _, word := range Words(text) {
		letters := []rune("^" + word + "$")
		if len(letters)-2 <= longestShortWord {
			count(&sums, word, ofShortWord)
			continue
		}
		count(&sums, word, ofWord)
		for start := 0; start+partLength <= len(letters); start++ {
			count(&sums, "part "+string(letters[start:start+partLength]), ofPart)
		}
	}
	var squares float64
	for _, sum := range sums {
		squares += sum * sum
	}
	made := make([]float32, Size)
	if squares == 0 {
		return made
	}
	length := math.Sqrt(squares)
	for at, sum := range sums {
		made[at] = float32(sum / length)
	}
	return made
}

// Words returns the words of a text in small letters.
func Words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(letter rune) bool {
		return !unicode.IsLetter(letter) && !unicode.IsDigit(letter)
	})
}

func count(sums *[Size]float64, feature string, weight float64) {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(feature))
	found := hash.Sum64()
	if found>>63 == 1 {
		weight = -weight
	}
	sums[found%Size] += weight
}
