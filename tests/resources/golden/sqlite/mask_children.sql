SELECT ('{"id":' || "bookshop_book"."id" ||
  ',"editions":' || (SELECT ('[' || (COALESCE(group_concat(json_, ','), '')) || CASE
      WHEN COUNT(*) > 100 THEN ',"\u001f"]'
      ELSE ']' END)
    FROM (SELECT ('{"isbn":' || json_quote(U0."isbn") || '}') AS "json_"
      FROM "bookshop_edition" U0
      WHERE U0."book_id" = ("bookshop_book"."id")
      ORDER BY U0."position" ASC, U0."id" ASC
      LIMIT 101) "r") || '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  ORDER BY "bookshop_book"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_book"."id" DESC
-- {0} {1}
