SELECT ('{"authors":' || (SELECT ('[' || (COALESCE(group_concat(json_, ','), '')) || CASE
      WHEN COUNT(*) > 100 THEN ',"\u001f"]'
      ELSE ']' END)
    FROM (SELECT ('{"biography":' || CASE
        WHEN U3."id" IS NULL THEN 'null'
        ELSE ('{"words":' || U3."words" || '}') END || '}') AS "json_"
      FROM "bookshop_author" U0
      INNER JOIN "bookshop_book_authors" U1 ON (U0."id" = U1."author_id")
      LEFT OUTER JOIN "bookshop_biography" U3 ON (U0."id" = U3."author_id")
      WHERE U1."book_id" = ("bookshop_book"."id")
      ORDER BY U0."name" ASC, U0."id" ASC
      LIMIT 101) "r") || '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  ORDER BY "bookshop_book"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_book"."id" DESC
-- {0} {1}
