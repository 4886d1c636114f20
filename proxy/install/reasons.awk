# reasons.awk - the list of reasons in the man page, made from reasons.def.
#
#   awk -f proxy/install/reasons.awk proxy/report/reasons.def \
#       proxy/install/sallyport.8 >new && mv new proxy/install/sallyport.8
#
# Writes the page with what stands between its lines ".\" reasons" and
# ".\" end of reasons" made anew; a unit test fails when that was forgotten.

function mdoc(text) {
	gsub(/-/, "\\-", text)
	gsub(/\. /, ".\n", text) # a sentence, a line
	return text
}

FILENAME ~ /reasons\.def$/ {
	if (/^REASON\(/)
		strings = 0
	n = split($0, q, "\"")
	for (i = 2; i <= n; i += 2)
		string[++strings] = q[i]
	# word, proxy_error, action, sentence, advice
	if (strings >= 4 && !(string[1] in told) && string[1] != "ok") {
		list = list ".It Ql " mdoc(string[1]) "\n" \
			mdoc(string[4]) "\n.Pq " mdoc(string[3]) "\n"
		told[string[1]] = 1
	}
	next
}

/^\.\\" end of reasons$/ { inside = 0 }
!inside { print }
/^\.\\" reasons$/ {
	inside = 1
	printf ".Bl -tag -width Ds\n%s.El\n", list
}
