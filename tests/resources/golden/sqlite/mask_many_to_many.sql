SELECT ('{"tags":' || (SELECT ('[' || (COALESCE(group_concat(json_, ','), '')) || CASE
      WHEN COUNT(*) > 5 THEN ',"\u001f"]'
      ELSE ']' END)
    FROM (SELECT ('{"id":' || U0."id" ||
        ',"label":' || json_quote(U0."label") || '}') AS "json_"
      FROM "bookshop_tag" U0
      INNER JOIN "bookshop_book_tags" U1 ON (U0."id" = U1."tag_id")
      WHERE U1."book_id" = ("bookshop_book"."id")
      ORDER BY U0."label" ASC, U0."id" ASC
      LIMIT 6) "r") || '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  ORDER BY "bookshop_book"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_book"."id" DESC
-- {0} {1}
