package stripefake

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestParams(t *testing.T) {
	form, err := url.ParseQuery("a=1&b[c]=2&d[10]=x&d[2]=y&e[]=p&e[]=q&g[0][h]=z&metadata=&n=12x")
	if err != nil {
		t.Fatal(err)
	}
	p := readParams(form)
	if p.str("a") != "1" || p.sub("b").str("c") != "2" || p.sub("g").items()[0].(params).str("h") != "z" {
		t.Errorf("%v", p)
	}
	if got := p.list("d"); !slices.Equal(got, []string{"y", "x"}) {
		t.Errorf("by index: %v", got)
	}
	if got := p.list("e"); !slices.Equal(got, []string{"p", "q"}) {
		t.Errorf("by count: %v", got)
	}
	if _, _, err := p.int("n"); err == nil {
		t.Error("12x was read as a number")
	}
	known := []string{"a", "b.c", "d.*", "e.*", "g.*.h", "metadata.*", "n"}
	if err := p.check(known); err != nil {
		t.Error(err)
	}
	for i := range known[:5] {
		if p.check(slices.Delete(slices.Clone(known), i, i+1)) == nil {
			t.Errorf("without %s every parameter was accepted", known[i])
		}
	}
}

func TestMetadataRules(t *testing.T) {
	old := object{"kept": "1", "gone": "2"}
	of := func(form url.Values) (object, error) { return readParams(form).metadata(old) }
	if m, err := of(url.Values{"metadata[gone]": {""}, "metadata[new]": {"3"}}); err != nil || len(m) != 2 || m["kept"] != "1" || m["new"] != "3" || len(old) != 2 {
		t.Errorf("merged: %v %v", m, err)
	}
	if m, err := of(url.Values{"metadata": {""}}); err != nil || len(m) != 0 {
		t.Errorf("cleared: %v %v", m, err)
	}
	many := url.Values{}
	for i := range 49 {
		many.Set(fmt.Sprintf("metadata[k%d]", i), "v")
	}
	for name, form := range map[string]url.Values{
		"51 keys":      many,
		"a long key":   {"metadata[" + strings.Repeat("k", 41) + "]": {"v"}},
		"a long value": {"metadata[k]": {strings.Repeat("v", 501)}},
		"a map":        {"metadata[k][l]": {"v"}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := of(form); err == nil {
				t.Errorf("accepted: %s", name)
			}
		})
	}
}

// FuzzParams checks that no form makes readParams panic, and that check works on the result.
func FuzzParams(f *testing.F) {
	f.Add("a[b][0]=1&a=2&[x]=3&a[b=4&]=5&a[][]=6&metadata[=7")
	f.Fuzz(func(t *testing.T, query string) {
		form, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		p := readParams(form)
		if err := p.check(nil); len(p) > 0 && err == nil {
			t.Errorf("%q: a parameter was accepted although none is known", query)
		}
		p.items()
		_, _ = p.metadata(nil)
	})
}
