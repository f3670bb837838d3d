"""Texts that try to break out of markup, out of their box, or out of a terminal line."""

from __future__ import annotations

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "svg script": "</text></g></svg><script>alert(1)</script>",
    "attribute": '" onload="alert(1)" x=\'',
    "handler": "<img src=x onerror=alert(1)>",
    "entity": "&lt;b&gt; &amp;amp; &#60;",
    "cdata": "]]><!-- --> <![CDATA[ <?xml version='1.0'?> <!DOCTYPE x [<!ENTITY y 'z'>]>",
    "style": "</style><style>*{display:none}",
    "url": "javascript:alert(1)",
    "dot": '"]; n0 [URL="javascript:alert(1)"]; x [label="\\N\\G\\',
    "dot html": "<<b>bold</b>>",
    "mermaid": 'x"] --> y["</br>` %%{init: {}}%% ; click n0 "javascript:alert(1)"',
    "template": "{{ 7 * 7 }} {% raw %}",
    "controls": "a\x00b\x07c\x1b[31mred\x1b[0m\x7f\x85d",
    "lines": "one\ntwo\r\nthree\u2028four\tfive",
    "lone surrogate": "half \ud83d of an emoji \udc4d",
    "nonchar": "\ufffe\uffff\ufdd0",
    "cjk": "座標を生成するタスクの名前がとても長い場合でも枠からはみ出してはならない",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈🚀" * 20,
    "rtl": "مرحبا بالعالم שלום עולם",
    "bidi override": "\u202egnp.exe\u2066\u200f",
    "accents": "Z" + "\u0300\u0301\u0489" * 200 + "algo",
    "long": "x" * 10_000,
    "long words": "word " * 2_000,
    "wide": "W" * 300,
    "empty": "",
    "spaces": "   ",
}
