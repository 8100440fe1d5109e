SELECT ('{"id":' || "bookshop_book"."id" || '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  WHERE CASE
  WHEN "bookshop_book"."labels" IS NOT NULL THEN json_type("bookshop_book"."labels") = 'array'
  AND EXISTS (SELECT 1
    FROM json_each("bookshop_book"."labels")
    WHERE value = json_extract(%s, '$')
    AND type NOT IN ('object', 'array')
    AND (type IN ('true', 'false')) = (json_type(%s) IN ('true', 'false'))) END
  ORDER BY "bookshop_book"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_book"."id" DESC
-- {0} {0} {1} {2}
