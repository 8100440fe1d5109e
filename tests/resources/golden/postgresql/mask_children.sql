SELECT CONCAT('{"id":', "bookshop_book"."id",
  ',"editions":', (SELECT CONCAT('[', string_agg(json_, ','), CASE
      WHEN COUNT(*) > 100 THEN ',"\u001f"]'
      ELSE ']' END)
    FROM (SELECT CONCAT('{"isbn":', to_json(U0."isbn"), '}') AS "json_"
      FROM "bookshop_edition" U0
      WHERE U0."book_id" = ("bookshop_book"."id")
      ORDER BY U0."position" ASC, U0."id" ASC
      LIMIT 101) "r"), '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" = ANY(ARRAY(SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    ORDER BY "bookshop_book"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_book"."id" DESC
-- {0} {1}
