package store

import (
	"hash/fnv"
	"math"
	"strconv"
	"strings"
)

// dimensions is also written in the schema.
const dimensions = 64

// likeness returns what a text is like, as a vector of length one: its groups of three letters,
// counted by hash. The same text always gives the same vector; no model is asked.
func likeness(text string) []float32 {
	vector := make([]float32, dimensions)
	for _, word := range strings.Fields(strings.ToLower(text)) {
		letters := []rune(" " + word + " ")
		for at := range len(letters) - 2 {
			sum := fnv.New32a()
			sum.Write([]byte(string(letters[at : at+3])))
			vector[sum.Sum32()%dimensions]++
		}
	}
	var square float64
	for _, value := range vector {
		square += float64(value) * float64(value)
	}
	if square == 0 {
		// A vector without length has no angle to another one.
		vector[0], square = 1, 1
	}
	for at := range vector {
		vector[at] /= float32(math.Sqrt(square))
	}
	return vector
}

// written returns a vector as pgvector reads it.
func written(vector []float32) string {
	texts := make([]string, len(vector))
	for at, value := range vector {
		texts[at] = strconv.FormatFloat(float64(value), 'g', -1, 32)
	}
	return "[" + strings.Join(texts, ",") + "]"
}
