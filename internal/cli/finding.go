package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/convene-cal/convene/ical/check"
)

// findingWriter writes what check finds in one of its formats.
type findingWriter struct {
	add func(check.Finding) error
	end func() error
}

var findingWriters = map[string]func(io.Writer) findingWriter{
	"text":   textFindings,
	"json":   jsonFindings,
	"github": githubFindings,
	"sarif":  sarifFindings,
}

func nothing() error { return nil }

func textFindings(w io.Writer) findingWriter {
	return findingWriter{func(f check.Finding) error {
		_, err := fmt.Fprintln(forPeople(w), f)
		return err
	}, nothing}
}

func jsonFindings(w io.Writer) findingWriter {
	encode := json.NewEncoder(w)
	encode.SetEscapeHTML(false)
	return findingWriter{func(f check.Finding) error { return encode.Encode(f) }, nothing}
}

// The characters that a workflow command of GitHub has in a meaning of its own.
var (
	githubText  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubValue = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func githubFindings(w io.Writer) findingWriter {
	return findingWriter{func(f check.Finding) error {
		_, err := fmt.Fprintf(w, "::%s file=%s,line=%d,col=%d,title=%s::%s\n", f.Severity, githubValue.Replace(f.File), f.Line, f.Column,
			githubValue.Replace(f.Rule+" ("+f.Section+")"), githubText.Replace(f.Message))
		return err
	}, nothing}
}

// sarifFindings writes a document of SARIF 2.1.0 as it goes.
func sarifFindings(w io.Writer) findingWriter {
	type text struct {
		Text string `json:"text"`
	}
	type region struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
	}
	type artifact struct {
		URI string `json:"uri"`
	}
	type physical struct {
		Artifact artifact `json:"artifactLocation"`
		Region   region   `json:"region"`
	}
	type location struct {
		Physical physical `json:"physicalLocation"`
	}
	type result struct {
		Rule      string     `json:"ruleId"`
		Level     string     `json:"level"`
		Message   text       `json:"message"`
		Locations []location `json:"locations"`
	}
	begin := `{"version":"2.1.0","$schema":"https://json.schemastore.org/sarif-2.1.0.json","runs":[{"tool":{"driver":{"name":"convene ical check"}},"results":[`
	before := begin
	return findingWriter{
		func(f check.Finding) error {
			data, err := json.Marshal(result{f.Rule, f.Severity, text{f.Message + " [" + f.Section + "]"},
				[]location{{physical{artifact{f.File}, region{f.Line, f.Column}}}}})
			if err == nil {
				_, err = fmt.Fprintf(w, "%s\n%s", before, data)
			}
			before = ","
			return err
		},
		func() error {
			if before == begin {
				if _, err := io.WriteString(w, begin); err != nil {
					return err
				}
			}
			_, err := io.WriteString(w, "]}]}\n")
			return err
		},
	}
}
