SELECT CASE
WHEN "bookshop_book"."id" IS NULL THEN NULL
ELSE ('{"id":' || "bookshop_book"."id" || '}') END AS "json_", "n"."count_" AS "count_"
FROM (SELECT COUNT(*) AS "count_"
  FROM (SELECT %s AS "count_"
    FROM "bookshop_book"
    LIMIT 10001) "c") "n"
LEFT JOIN "bookshop_book" ON ("bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    ORDER BY "bookshop_book"."id" DESC
    LIMIT %s OFFSET %s))
ORDER BY "bookshop_book"."id" DESC
-- 1 {0} {1}
