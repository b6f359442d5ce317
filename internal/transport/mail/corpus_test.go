package mail

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/internal/harness/shared"
	"github.com/convene-cal/convene/internal/trust"
)

// Real mails of many programs, through LMTP: each is in the journal, with an
// outcome and a sentence, under each policy.
func TestCorpusMailsGetAnOutcome(t *testing.T) {
	corpus := filepath.Join(shared.Dir(t), "corpus")
	var mails [][]byte
	for dir, ext := range map[string]string{"thunderbird": ".eml", "nextcloud-mail": ".txt", "zimbra-ical": ".txt", "libical": ".mime"} {
		err := filepath.WalkDir(filepath.Join(corpus, dir), func(path string, d os.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ext {
				return err
			}
			data, err := os.ReadFile(path)
			mails = append(mails, imip.Messages(data)...)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, policy := range []string{trust.Accept, trust.Verify} {
		t.Run(policy, func(t *testing.T) {
			x := newSite(t, sqlite(t), "", func(o *Options) { o.Trust.Inbound = policy })
			address := x.listen(t, true)
			counts := map[string]int{}
			for i, raw := range mails {
				if got := code(deliver(t, dial(t, address, true), true, "sender@two.test", raw, "ann@one.test")["ann@one.test"]); got != "<nil>" {
					t.Errorf("mail %d: %s\n%.300s", i, got, raw)
				}
			}
			for _, r := range x.rows(t, x.ann.ID) {
				counts[r.State+" "+r.Reason]++
				if r.State == stateReceived || strings.TrimSpace(r.Sentence) == "" {
					t.Errorf("row %d is %s, %q", r.ID, r.State, r.Sentence)
				}
				if r.State == stateApplied && policy == trust.Verify {
					t.Errorf("row %d was applied without evidence: %s", r.ID, r.Sentence)
				}
			}
			t.Logf("%d mails: %v", len(mails), counts)
		})
	}
}
