-- Names of donors, invented: the first of a list are many people's names, the last ones few people's.
-- A chance is from 0 to 268435455 (pg_temp.number).
CREATE OR REPLACE FUNCTION pg_temp.first_name(chance integer) RETURNS text STABLE LANGUAGE sql AS $$
    SELECT (ARRAY[
    'Maria', 'José', 'Ana', 'John', 'Mary', 'Juan', 'Carlos', 'James', 'Luis', 'Jean', 'Marie', 'Elizabeth', 'Michael', 'Robert', 'Jorge',
    'David', 'Patricia', 'William', 'Carmen', 'Francisco', 'Jennifer', 'Antonio', 'Linda', 'João', 'Miguel', 'Joseph', 'Susan', 'Marie-Ange',
    'Thomas', 'Rosa', 'Pedro', 'Margaret', 'Daniel', 'Manuel', 'Sarah', 'Karen', 'Pierre', 'Nancy', 'Rafael', 'Lisa', 'Fernando', 'Paulo',
    'Charles', 'Guadalupe', 'Mark', 'Teresa', 'Alejandro', 'Laura', 'Andrés', 'Barbara', 'Donald', 'Ricardo', 'Ruth', 'Steven', 'Joana',
    'Andrea', 'Kevin', 'Claudia', 'Paul', 'Sandra', 'Eduardo', 'Sharon', 'Brian', 'Marta', 'George', 'Yolanda', 'Edward', 'Gloria', 'Ronald',
    'Silvia', 'Ángel', 'Michelle', 'Anthony', 'Kimberly', 'Víctor', 'Emily', 'Roberto', 'Donna', 'Carol', 'Raúl', 'Amanda', 'Javier', 'Dorothy',
    'Melissa', 'Alberto', 'Deborah', 'Sergio', 'Stephanie', 'Rebecca', 'Óscar', 'Helen', 'Enrique', 'Inês', 'Tiago', 'Beatriz', 'Gonçalo',
    'Lourdes', 'Esperanza', 'Nathalie', 'Wilner', 'Jocelyne', 'Mirlande', 'Frantz', 'Widline', 'Ronel', 'Guerline', 'Emmanuel', 'Fabienne',
    'Jacques', 'Roseline', 'Étienne', 'Thérèse', 'Zoë', 'Siobhán', 'Niamh', 'Seán', 'Aoife', 'Brigid', 'Padraig', 'Wei', 'Mei', 'Hui', 'Jun',
    'Xiu', 'Linh', 'Minh', 'Thanh', 'Huong', 'Duc', 'Yuki', 'Haruto', 'Sakura', 'Kenji', 'Aiko', 'Ji-woo', 'Min-jun', 'Priya', 'Rahul',
    'Anjali', 'Sanjay', 'Fatima', 'Ahmed', 'Layla', 'Omar', 'Yasmin', 'Ibrahim', 'Aisha', 'Khadija', 'Olga', 'Dmitri', 'Svetlana', 'Agnieszka',
    'Łukasz', 'Małgorzata', 'Jürgen', 'Björn', 'Åsa', 'Søren', 'Ingrid', 'Giulia', 'Marco', 'Chiara', 'Kofi', 'Ama', 'Kwame', 'Nneka', 'Chidi',
    'Tariku', 'Abeba', 'Mehari', 'Leilani', 'Kalani', 'Nahuel', 'Itzel', 'Citlali', 'Xóchitl', 'Quetzalli', 'Eunice', 'Ezekiel', 'Obadiah',
    'Philippa', 'Rosalind', 'Gwendolyn', 'Thaddeus'
    ])[1 + floor(184 * (chance / 268435456.0::double precision) ^ 1.5)::integer]
$$;
CREATE OR REPLACE FUNCTION pg_temp.last_name(chance integer) RETURNS text STABLE LANGUAGE sql AS $$
    SELECT (ARRAY[
    'García', 'Smith', 'Rodríguez', 'Johnson', 'Martínez', 'Williams', 'Hernández', 'Brown', 'López', 'Jones', 'González', 'Pierre', 'Miller',
    'Pérez', 'Davis', 'Silva', 'Sánchez', 'Wilson', 'Ramírez', 'Anderson', 'Santos', 'Torres', 'Taylor', 'Flores', 'Thomas', 'Rivera', 'Moore',
    'Gómez', 'Joseph', 'Martin', 'Díaz', 'Jackson', 'Reyes', 'Thompson', 'Morales', 'White', 'Cruz', 'Lee', 'Ortiz', 'Harris', 'Gutiérrez',
    'Clark', 'Jean', 'Lewis', 'Chávez', 'Robinson', 'Ramos', 'Walker', 'Charles', 'Ruiz', 'Young', 'Álvarez', 'Allen', 'Mendoza', 'King',
    'Vásquez', 'Wright', 'Castillo', 'Scott', 'Jiménez', 'Nguyen', 'Moreno', 'Hill', 'Romero', 'Green', 'Herrera', 'Adams', 'Oliveira',
    'Medina', 'Nelson', 'Aguilar', 'Baker', 'Vargas', 'Hall', 'Castro', 'Campbell', 'Guzmán', 'Mitchell', 'Méndez', 'Carter', 'Fernández',
    'Roberts', 'Muñoz', 'Phillips', 'Salazar', 'Evans', 'Louis', 'Turner', 'Soto', 'Parker', 'Delgado', 'Collins', 'Pena', 'Edwards', 'Rojas',
    'Stewart', 'Ríos', 'Morris', 'Alvarado', 'Murphy', 'Contreras', 'Cook', 'Valdez', 'Rogers', 'Guerrero', 'Morgan', 'Estrada', 'Peterson',
    'Sandoval', 'Cooper', 'Núñez', 'Reed', 'Maldonado', 'Bailey', 'Costa', 'Bell', 'Ortega', 'Kelly', 'Cardoso', 'Howard', 'Duarte', 'Ward',
    'Ferreira', 'Cox', 'Almeida', 'Richardson', 'Carvalho', 'Wood', 'Ribeiro', 'Watson', 'Pinto', 'Brooks', 'Teixeira', 'Bennett', 'Moreira',
    'Gray', 'Correia', 'James', 'Mendes', 'Hughes', 'Nunes', 'Price', 'Lima', 'Myers', 'Araújo', 'Long', 'Foster', 'Sousa', 'Sanders',
    'Barbosa', 'Ross', 'Rocha', 'Alexis', 'Étienne', 'Toussaint', 'Désir', 'Louissaint', 'Saint-Louis', 'Jean-Baptiste', 'Jean-Louis',
    'Pierre-Louis', 'François', 'Baptiste', 'Célestin', 'Dorvil', 'Estimé', 'Fils-Aimé', 'Guerrier', 'Jean-Charles', 'Lafontant', 'Mathurin',
    'Noël', 'Occean', 'Paul', 'Petit-Frère', 'Prophète', 'Sénatus', 'Théodore', 'Valcin', 'Vilsaint', 'O''Brien', 'O''Connor', 'O''Sullivan',
    'McCarthy', 'Walsh', 'Byrne', 'Ryan', 'Doyle', 'Gallagher', 'Doherty', 'Kennedy', 'Lynch', 'Quinn', 'Murray', 'Fitzgerald', 'MacDonald',
    'Fraser', 'Mackenzie', 'Chen', 'Wang', 'Li', 'Zhang', 'Liu', 'Yang', 'Huang', 'Zhao', 'Wu', 'Zhou', 'Tran', 'Le', 'Pham', 'Hoang', 'Phan',
    'Vu', 'Dang', 'Bui', 'Ngo', 'Duong', 'Tanaka', 'Suzuki', 'Sato', 'Watanabe', 'Yamamoto', 'Nakamura', 'Kobayashi', 'Kim', 'Park', 'Choi',
    'Jung', 'Kang', 'Patel', 'Shah', 'Singh', 'Kumar', 'Gupta', 'Sharma', 'Khan', 'Ahmed', 'Ali', 'Hassan', 'Hussein', 'Abdi', 'Mohamed',
    'Osman', 'Tesfaye', 'Bekele', 'Haile', 'Gebre', 'Okafor', 'Okonkwo', 'Mensah', 'Owusu', 'Boateng', 'Diallo', 'Traoré', 'Keïta', 'Ndiaye',
    'Kowalski', 'Nowak', 'Wiśniewski', 'Zieliński', 'Dąbrowski', 'Novák', 'Dvořák', 'Horváth', 'Szabó', 'Müller', 'Schröder', 'Weiß',
    'Jørgensen', 'Åkerlund', 'Lindqvist', 'Rossi', 'Bianchi', 'Esposito', 'D''Angelo', 'Papadopoulos', 'Yılmaz', 'Öztürk', 'Ivanova',
    'Petrenko', 'Shevchenko', 'Kahananui', 'Kealoha', 'Begay', 'Yazzie', 'Tsosie', 'Quispe', 'Mamani', 'Huamán', 'Condori', 'Xicará', 'Tzul',
    'Chavajay', 'Ixcoy', 'Bourgeois', 'Thibodeaux', 'Arceneaux', 'Boudreaux', 'LeBlanc', 'Achterberg', 'Vanderveen', 'Zwicker', 'Quackenbush',
    'Featherstone', 'Wetherby', 'Birtwistle'
    ])[1 + floor(307 * (chance / 268435456.0::double precision) ^ 1.5)::integer]
$$;
