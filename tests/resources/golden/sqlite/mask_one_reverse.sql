SELECT ('{"name":' || json_quote("bookshop_author"."name") ||
  ',"biography":' || CASE
  WHEN "bookshop_biography"."id" IS NULL THEN 'null'
  ELSE ('{"author_id":' || "bookshop_biography"."author_id" ||
    ',"words":' || "bookshop_biography"."words" || '}') END || '}') AS "json_"
FROM "bookshop_author"
LEFT OUTER JOIN "bookshop_biography" ON ("bookshop_author"."id" = "bookshop_biography"."author_id")
WHERE "bookshop_author"."id" IN (SELECT "bookshop_author"."id" AS "pk_"
  FROM "bookshop_author"
  ORDER BY "bookshop_author"."name" ASC, "bookshop_author"."id" ASC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_author"."name" ASC, "bookshop_author"."id" ASC
-- {0} {1}
