package trust_test

import (
	"fmt"

	"github.com/convene-cal/convene/internal/trust"
	"github.com/convene-cal/convene/itip"
)

// The mail server of the site attests that the mail is from two.test; the
// cancellation is of an event that somebody at one.test organizes.
func ExampleJudge() {
	policy := trust.Policy{Inbound: trust.Verify, AuthservIDs: []string{"mx.site.test"}}
	e := trust.Evidence{From: "mailto:eve@two.test"}
	e.ReadResults([]string{"mx.site.test; dmarc=pass header.from=two.test"}, policy.AuthservIDs)
	v := trust.Judge(trust.Question{
		Evidence: e, Policy: policy, Method: itip.Cancel,
		Organizer: itip.Attendee{Address: "mailto:ann@one.test"},
		Stored:    &trust.Stored{Organizer: "mailto:ann@one.test"},
	})
	fmt.Println(v.Do, v.Level)
	fmt.Println(v.Sentence)
	// Output:
	// hold T0
	// The message was sent by eve@two.test, who is not the organizer ann@one.test.
}
