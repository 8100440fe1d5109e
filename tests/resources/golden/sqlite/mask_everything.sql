SELECT ('{"id":' || "bookshop_book"."id" ||
  ',"title":' || json_quote("bookshop_book"."title") ||
  ',"slug":' || json_quote("bookshop_book"."slug") ||
  ',"status":' || json_quote("bookshop_book"."status") ||
  ',"price":' || (COALESCE('"' || (CASE
        WHEN "bookshop_book"."price" IS NOT NULL THEN printf('%%.2f', "bookshop_book"."price") END) || '"', 'null')) ||
  ',"pages":' || COALESCE("bookshop_book"."pages", 'null') ||
  ',"rating":' || (COALESCE(backstay_float("bookshop_book"."rating"), 'null')) ||
  ',"released_on":' || (COALESCE('"' || ("bookshop_book"."released_on") || '"', 'null')) ||
  ',"created_at":"' || CASE length("bookshop_book"."created_at")
  WHEN 23 THEN backstay_datetime("bookshop_book"."created_at")
  ELSE replace("bookshop_book"."created_at", ' ', 'T') || 'Z' END || '","blurb":' || json_quote("bookshop_book"."blurb") ||
  ',"metadata":' || COALESCE("bookshop_book"."metadata", 'null') ||
  ',"publisher_id":' || COALESCE("bookshop_book"."publisher_id", 'null') ||
  ',"labels":' || COALESCE("bookshop_book"."labels", 'null') ||
  ',"double_price":' || (COALESCE('"' || (backstay_decimal((CAST(("bookshop_book"."price" * %s) AS NUMERIC)), 12, 2)) || '"', 'null')) ||
  ',"url":"' || (%s) || '/books/' || "bookshop_book"."id" || '/","shouted":{"title":' || json_quote("bookshop_book"."title") || '},"publisher":' || CASE
  WHEN "bookshop_book"."publisher_id" IS NULL THEN 'null'
  ELSE ('{"id":' || "bookshop_book"."publisher_id" ||
    ',"name":' || json_quote("bookshop_publisher"."name") || '}') END ||
  ',"editions":' || (SELECT ('[' || (COALESCE(group_concat(json_, ','), '')) || CASE
      WHEN COUNT(*) > 100 THEN ',"\u001f"]'
      ELSE ']' END)
    FROM (SELECT ('{"id":' || U0."id" ||
        ',"book_id":' || U0."book_id" ||
        ',"isbn":' || json_quote(U0."isbn") || '}') AS "json_"
      FROM "bookshop_edition" U0
      WHERE U0."book_id" = ("bookshop_book"."id")
      ORDER BY U0."position" ASC, U0."id" ASC
      LIMIT 101) "r") ||
  ',"authors":' || (SELECT ('[' || (COALESCE(group_concat(json_, ','), '')) || CASE
      WHEN COUNT(*) > 100 THEN ',"\u001f"]'
      ELSE ']' END)
    FROM (SELECT ('{"id":' || U0."id" ||
        ',"name":' || json_quote(U0."name") ||
        ',"biography":' || CASE
        WHEN U3."id" IS NULL THEN 'null'
        ELSE ('{"author_id":' || U3."author_id" ||
          ',"words":' || U3."words" || '}') END || '}') AS "json_"
      FROM "bookshop_author" U0
      INNER JOIN "bookshop_book_authors" U1 ON (U0."id" = U1."author_id")
      LEFT OUTER JOIN "bookshop_biography" U3 ON (U0."id" = U3."author_id")
      WHERE U1."book_id" = ("bookshop_book"."id")
      ORDER BY U0."name" ASC, U0."id" ASC
      LIMIT 101) "r") ||
  ',"tags":' || (SELECT ('[' || (COALESCE(group_concat(json_, ','), '')) || CASE
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
LEFT OUTER JOIN "bookshop_publisher" ON ("bookshop_book"."publisher_id" = "bookshop_publisher"."id")
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  ORDER BY "bookshop_book"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_book"."id" DESC
-- 2 {origin} {0} {1}
