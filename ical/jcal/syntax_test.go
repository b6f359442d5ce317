package jcal_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/convene-cal/convene/ical/jcal"
	"github.com/convene-cal/convene/internal/harness/meaning"
)

var syntax = meaning.Syntax{
	Marshal: jcal.Marshal, AppendTo: jcal.AppendTo, Parse: jcal.Parse, ParseAll: jcal.ParseAll, NewReader: jcal.NewReader,
	Extension: ".jcal",
	Valid:     valid,
	Read:      func(text []byte) error { return valid(bytes.TrimPrefix(text, []byte("\ufeff"))) },
}

func valid(text []byte) error {
	var any json.RawMessage
	return json.Unmarshal(text, &any)
}

func TestCorpusRoundTrip(t *testing.T) { syntax.TestCorpus(t) }
func TestSamplesAreRead(t *testing.T)  { syntax.TestSamples(t) }
func FuzzMarshal(f *testing.F)         { syntax.FuzzMarshal(f) }
func BenchmarkSyntax(b *testing.B)     { syntax.Benchmark(b) }

func FuzzParse(f *testing.F) {
	syntax.FuzzParse(f,
		`["vcalendar",[["version",{},"text","2.0"]],[["vevent",[["dtstart",{"tzid":"Europe/Berlin"},"date-time","2026-01-02T03:04:05"],["rrule",{},"recur",{"freq":"YEARLY","byday":["-1SU","2MO"],"until":"2027-01-01"}]],[]]]]`,
		`[["vcalendar",[["geo",{},"float",[1.5,-2e1]],["request-status",{},"text",["2.0","ok;"]]],[]],["vcalendar",[],[]]]`,
		`["vtodo",[["freebusy",{"x":["a","b\"\n"]},"period",["2026-01-02T03:04:05Z","PT1H"],"20260102T000000/P1D"],["x-a",{"encoding":"quoted-printable"},"unknown","a="]]]`,
		`["vcalendar",[["attach",{"encoding":"base64"},"uri","YQ=="],["x",{},"boolean",true,false],["y",{},"integer",1e2]],[["x-\u00fc\ud83d\ude00",[],[["a",[],[]]]]]]`,
	)
}
