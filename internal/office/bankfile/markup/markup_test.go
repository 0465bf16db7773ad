package markup_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/office/bankfile/markup"
)

func TestTags(t *testing.T) {
	t.Parallel()
	tags := markup.NewTags("\n<A>x < 5 & y<5\n<b.c attr=1>B&amp;amp;B</B.C><!-- <no> --><D/><E><![CDATA[<raw>]]></E>\n<x:F>3 > 2 <G")
	want := []markup.Tag{
		{Name: "A", Text: "x < 5 & y<5", Row: 2}, {Name: "B.C", Text: "B&B", Row: 3}, {Name: "B.C", End: true, Row: 3}, {Name: "D", Row: 3},
		{Name: "E", Text: "<raw>", Row: 3}, {Name: "E", End: true, Row: 3}, {Name: "F", Text: "3 > 2 <G", Row: 4},
	}
	for _, one := range want {
		tag, ok := tags.Next()
		require.True(t, ok)
		require.Equal(t, one, tag)
	}
	_, ok := tags.Next()
	require.False(t, ok)
}

func TestTree(t *testing.T) {
	t.Parallel()
	root, err := markup.Tree("<?xml version='1.0'?>\n<n:A xmlns:n='x'>\n<B Ccy='EUR'> 1 </B><B>2</B></n:A>", 100)
	require.NoError(t, err)
	a := root.Find("A")
	require.Equal(t, "1", a.Get("B"))
	require.Equal(t, "EUR", a.Find("B").Currency)
	require.Equal(t, 3, a.Find("B").Line(0))
	require.Len(t, a.All("B"), 2)
	require.Equal(t, "2", a.All("B")[1].Text)
	require.Nil(t, a.Find("C/D"))
	require.Equal(t, 7, a.Find("C/D").Line(7))
	require.Equal(t, "1", a.First("X/Y", "B"))

	for text, phrase := range map[string]string{
		"<!DOCTYPE a><a/>": "bankfile.problem.entities", "<a><b>": "bankfile.problem.cut_short", "<a></b>": "bankfile.problem.xml", "<a>&x;</a>": "bankfile.problem.xml",
		"<a>long long text</a>": "bankfile.problem.field_too_long",
	} {
		_, err := markup.Tree(text, 10)
		require.ErrorContains(t, err, phrase, text)
	}
}
