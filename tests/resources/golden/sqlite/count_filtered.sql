SELECT CASE
WHEN "bookshop_book"."id" IS NULL THEN NULL
ELSE ('{"id":' || "bookshop_book"."id" ||
  ',"publisher":' || CASE
  WHEN "bookshop_book"."publisher_id" IS NULL THEN 'null'
  ELSE ('{"name":' || json_quote("bookshop_publisher"."name") || '}') END ||
  ',"editions":' || (SELECT ('[' || (COALESCE(group_concat(json_, ','), '')) || CASE
      WHEN COUNT(*) > 100 THEN ',"\u001f"]'
      ELSE ']' END)
    FROM (SELECT ('{"isbn":' || json_quote(U0."isbn") || '}') AS "json_"
      FROM "bookshop_edition" U0
      WHERE U0."book_id" = ("bookshop_book"."id")
      ORDER BY U0."position" ASC, U0."id" ASC
      LIMIT 101) "r") || '}') END AS "json_", "n"."count_" AS "count_"
FROM (SELECT COUNT(*) AS "count_"
  FROM "bookshop_book"
  WHERE EXISTS(SELECT %s AS "a"
    FROM "bookshop_edition" U0
    WHERE (U0."book_id" = ("bookshop_book"."id")
      AND U0."stock" > %s)
    LIMIT 1)) "n"
LEFT JOIN "bookshop_book" ON ("bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    WHERE EXISTS(SELECT %s AS "a"
      FROM "bookshop_edition" U0
      WHERE (U0."book_id" = ("bookshop_book"."id")
        AND U0."stock" > %s)
      LIMIT 1)
    ORDER BY "bookshop_book"."id" DESC
    LIMIT %s OFFSET %s))
LEFT OUTER JOIN "bookshop_publisher" ON ("bookshop_book"."publisher_id" = "bookshop_publisher"."id")
ORDER BY "bookshop_book"."id" DESC
-- 1 {0} 1 {0} {1} {2}
