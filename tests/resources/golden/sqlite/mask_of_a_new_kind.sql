SELECT ('{"fee":' || CASE
  WHEN "bookshop_bill"."fee" IS NULL THEN 'null'
  ELSE '"' || (CASE
    WHEN "bookshop_bill"."fee" < 0 THEN '-'
    ELSE '' END || printf('%%d.%%02d', abs("bookshop_bill"."fee") / 100, abs("bookshop_bill"."fee") %% 100)) || '"' END || '}') AS "json_"
FROM "bookshop_bill"
WHERE "bookshop_bill"."id" IN (SELECT "bookshop_bill"."id" AS "pk_"
  FROM "bookshop_bill"
  ORDER BY "bookshop_bill"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_bill"."id" DESC
-- {0} {1}
