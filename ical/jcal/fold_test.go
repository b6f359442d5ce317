package jcal_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jcal"
)

// A text that speaks of components stays a text wherever it is folded, also
// for a reader of streams that looks at lines.
func TestFoldedWordsAreNoStructure(t *testing.T) {
	for _, word := range []string{"END:VCALENDAR", "END:VEVENT", "BEGIN:VEVENT", "BEGIN:VCALENDAR"} {
		for n := range 160 {
			text := fmt.Sprintf(`["vcalendar",[],[["vevent",[["description",{},"text","%s%s"],["x-a",{},"unknown","%[1]s%[2]s"]],[]],["vevent",[],[]]]]`, strings.Repeat("x", n), word)
			whole, err := jcal.Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range []*ical.Reader{jcal.NewReader(strings.NewReader(text)), ical.NewReader(bytes.NewReader(whole.Bytes()))} {
				events, properties := 0, 0
				for {
					part, err := r.NextPart()
					if err != nil {
						break
					}
					for _, c := range part.Components {
						events++
						properties += len(c.Properties)
					}
				}
				if events != 2 || properties != 2 {
					t.Errorf("%d x and %s: %d events, %d properties", n, word, events, properties)
				}
			}
			streamed, err := jcal.NewReader(strings.NewReader(text)).Next()
			if err != nil || !bytes.Equal(streamed.Bytes(), whole.Bytes()) {
				t.Errorf("%d x and %s: %v", n, word, err)
			}
		}
	}
}
