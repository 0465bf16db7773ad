// Package markup divides marked-up bank files into their parts: Tags reads OFX, of which most files are SGML and many are
// neither SGML nor XML, and Tree reads XML without regard to namespaces. Both refuse nothing that a bank may write, and both
// need time and memory in proportion to the size of the file.
package markup
